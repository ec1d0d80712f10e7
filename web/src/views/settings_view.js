/* Settings view: everything that can be set, on one page, with a field that finds it. Each row carries
 * the words it is found by; a section with no row left disappears. */

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { chooseFiles, download, importFile } from "../files.js";
import { t } from "../later_words.js";
import { Choice } from "../components/panel.js";
import { PRESETS } from "../components/composer.js";
import { BackupSettings } from "./backup_settings.js";
import { MemorySettings } from "./memory_settings.js";
import { PromptSettings } from "./prompt_settings.js";
import { ShortcutSettings } from "./shortcut_settings.js";
import { TextField } from "./text_field.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {{ id: string, words: string, draw(): any }} Row */

/** @param {{ page: Page }} props */
export function SettingsView({ page }) {
    const [wanted, setWanted] = useState("");
    const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
    const place = useRef(/** @type {HTMLElement | null} */ (null));
    useEffect(() => {
        const section = page.detail && document.getElementById(`settings-${page.detail}`);
        if (section) section.scrollIntoView({ block: "start" });
        else if (matchMedia("(pointer: fine)").matches) place.current?.querySelector("input")?.focus();
    }, [page.detail]);
    const groups = sections(page)
        .map((section) => ({ ...section, rows: section.rows.filter((row) => words.every((word) =>
            `${section.title} ${row.words}`.toLowerCase().includes(word))) }))
        .filter(({ rows }) => rows.length);
    return html`<div class="scroller"><div class="view settings" ref=${place}>
        <input type="search" class="filter" value=${wanted} aria-label=${t("searchSettings")}
            placeholder=${t("searchSettings")}
            onInput=${(/** @type {any} */ event) => setWanted(event.target.value)} />
        ${groups.map(({ id, title, rows }) => html`
            <section key=${id} id="settings-${id}" aria-label=${title}><h2>${title}</h2>
                ${rows.map((row) => html`<div class="setting" key=${row.id}>${row.draw()}</div>`)}</section>`)}
        ${!groups.length && html`<p class="nothing" role="status">${t("noSetting")}</p>`}
    </div></div>`;
}

/** @param {Page} page
 * @returns {{ id: string, title: string, rows: Row[] }[]} */
function sections(page) {
    const { settings } = page;
    /** @param {keyof typeof settings} name @param {string} label @param {[any, string][]} options */
    const choice = (name, label, options) => ({
        id: name, words: [label, ...options.map(([, text]) => text)].join(" "),
        draw: () => html`<${Choice} label=${label} name=${name} value=${settings[name]} options=${options}
            onPick=${(/** @type {any} */ value) => page.setSettings({ [name]: value })} />`,
    });
    /** @param {"follow" | "shortcutsOn"} name @param {string} label @param {string} help */
    const toggle = (name, label, help) => ({
        id: name, words: `${label} ${help}`,
        draw: () => html`<${Switch} label=${label} help=${help} isOn=${settings[name]}
            onChange=${(/** @type {boolean} */ isOn) => page.setSettings({ [name]: isOn })} />`,
    });
    return [
        { id: "appearance", title: t("appearance"), rows: [
            choice("theme", t("theme"), [["system", t("themeSystem")], ["light", t("themeLight")], ["dark", t("themeDark")]]),
            choice("language", t("language"), [["", t("languageSystem")], ["en", "English"], ["zh", "简体中文"]]),
            choice("text", t("textSize"), [["small", t("textSmall")], ["normal", t("textNormal")], ["large", t("textLarge")]]),
        ] },
        { id: "chats", title: t("newChats"), rows: [
            choice("preset", t("preset"), PRESETS.map(([value, label]) => [value, t(label)])),
            { id: "system", words: `${t("systemPrompt")} ${t("defaultSystemHelp")}`, draw: () => html`
                <${TextField} label=${t("systemPrompt")} help=${t("defaultSystemHelp")} placeholder=${t("systemPlaceholder")} rows=${3}
                    value=${settings.system} onDone=${(/** @type {string} */ system) => page.setSettings({ system })} />` },
            choice("sendKey", t("sendWith"), [["enter", "Enter"], ["mod", t("sendWithMod")]]),
            toggle("follow", t("followText"), t("followHelp")),
        ] },
        { id: "prompts", title: t("prompts"), rows: [
            { id: "prompts", words: t("promptsHelp"), draw: () => html`<${PromptSettings} page=${page} />` } ] },
        { id: "shortcuts", title: t("shortcuts"), rows: [
            toggle("shortcutsOn", t("shortcutsOn"), t("shortcutsOnHelp")),
            { id: "keys", words: t("shortcutWords"), draw: () => html`<${ShortcutSettings} page=${page} />` } ] },
        { id: "memory", title: t("memoryTitle"), rows: [
            { id: "memory", words: `${t("useMemory")} ${t("useMemoryHelp")}`, draw: () => html`<${MemorySettings} page=${page} />` } ] },
        { id: "data", title: t("dataTitle"), rows: [
            { id: "export", words: `${t("exportAll")} ${t("importChats")}`, draw: () => html`<${Data} page=${page} />` } ] },
        { id: "backup", title: t("backupTitle"), rows: [
            { id: "backup", words: `${t("backUp")} ${t("restoreFrom")} ${t("backupHelp")}`, draw: () => html`<${BackupSettings} page=${page} />` } ] },
        { id: "privacy", title: t("privacy"), rows: [
            { id: "privacy", words: t("privacyText"), draw: () => html`<p class="note">${t("privacyText")}</p>
                <p class="note"><a href="/licenses.txt" target="_blank">${t("licenses")}</a></p>` } ] },
    ];
}

/** @param {{ label: string, help: string, isOn: boolean, onChange(isOn: boolean): void }} props */
function Switch({ label, help, isOn, onChange }) {
    return html`<label class="switch"><span>${label}<small>${help}</small></span>
        <input type="checkbox" role="switch" checked=${isOn}
            onChange=${(/** @type {any} */ event) => onChange(event.target.checked)} /></label>`;
}

/** @param {{ page: Page }} props */
function Data({ page }) {
    const [said, setSaid] = useState("");
    const bring = async () => {
        const [file] = await chooseFiles(".json,application/json");
        if (!file) return;
        const done = await page.attempt(() => importFile(file));
        if (!done) return;
        const skipped = done.skipped?.length ?? 0;
        setSaid(t("imported", { threads: done.threads, messages: done.messages, skipped }));
        page.attempt(() => page.threads.reload());
    };
    return html`<p class="note">${t("dataHelp")}</p>
        <div class="buttons">
            <button type="button" class="button" onClick=${() =>
                page.attempt(() => download("/api/export", "den.json"))}>${t("exportAll")}</button>
            <button type="button" class="button" onClick=${bring}>${t("importChats")}</button>
        </div>
        <p class="note" role="status">${said}</p>`;
}
