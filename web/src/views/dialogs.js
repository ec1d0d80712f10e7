/* Dialogs: shortcuts, choosing a folder, filling in a template, being sure. */

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../later_words.js";
import { fillTemplate, variablesOf } from "../commands.js";
import { keyNames, keysOf, SHORTCUTS } from "../keys.js";
import { Dialog } from "../components/dialog.js";
import { Icon } from "../components/icons.js";
import { Confidence, Hits } from "./hits.js";
import { ImportWorkspace, Restore } from "./transfer_dialogs.js";

/** @typedef {import("../page.js").Page} Page */

/** The one that is open. @param {{ page: Page }} props */
export function OpenDialog({ page }) {
    const { name = "", data } = page.dialog ?? {};
    const close = () => page.closeDialog();
    if (name === "help") return html`<${Help} page=${page} onClose=${close} />`;
    if (name === "move") return html`<${Move} page=${page} thread=${data.thread} onClose=${close} />`;
    if (name === "prompt") return html`<${Fill} ...${data} onClose=${close} />`;
    if (name === "name") return html`<${Name} ...${data} onClose=${close} />`;
    if (name === "found") return html`<${HowFound} page=${page} sources=${data.sources} onClose=${close} />`;
    if (name === "import") return html`<${ImportWorkspace} page=${page} file=${data.file} onClose=${close} />`;
    if (name === "restore") return html`<${Restore} page=${page} file=${data.file} onClose=${close} />`;
    if (name === "confirm") return html`<${Confirm} ...${data} onClose=${close} />`;
    return null;
}

/** @param {{ page: Page, onClose(): void }} props */
function Help({ page, onClose }) {
    return html`
        <${Dialog} title=${t("shortcuts")} onClose=${onClose}>
            <dl class="shortcuts">${SHORTCUTS.map((shortcut) => html`
                <div key=${shortcut.label}><dt>${t(shortcut.label)}</dt>
                    <dd>${keysOf(page.settings, shortcut).map((keys, index) => html`
                        ${index > 0 && html`<span>${t("or")}</span>`}
                        ${keyNames(keys).map((name) => html`<kbd>${name}</kbd>`)}`)}</dd></div>`)}
            </dl>
            ${!page.settings.shortcutsOn && html`<p class="note">${t("shortcutsAreOff")}</p>`}
            <p><a href="#/settings/shortcuts" onClick=${onClose}>${t("changeShortcuts")}</a></p>
        <//>`;
}

/** @param {{ page: Page, thread: import("../types.js").Summary, onClose(): void }} props */
function Move({ page, thread, onClose }) {
    const { threads } = page;
    const [name, setName] = useState("");
    const move = (/** @type {string | null} */ folder) => {
        threads.change(thread.id, { folder });
        onClose();
    };
    const create = async (/** @type {Event} */ event) => {
        event.preventDefault();
        const id = name.trim() ? await threads.createFolder(name) : undefined;
        if (id) move(id);
    };
    return html`
        <${Dialog} title=${t("moveTo")} onClose=${onClose}>
            <ul class="choices">
                ${threads.folders.map((folder) => html`<li key=${folder.id}>
                    <button type="button" disabled=${folder.id === thread.folder}
                        onClick=${() => move(folder.id)}><${Icon} name="folder" />${folder.name}</button></li>`)}
                ${thread.folder && html`<li><button type="button" onClick=${() => move(null)}>
                    <${Icon} name="close" />${t("noFolder")}</button></li>`}
            </ul>
            <form class="in-line" onSubmit=${create}>
                <input value=${name} aria-label=${t("folderName")} placeholder=${t("folderName")}
                    onInput=${(/** @type {any} */ event) => setName(event.target.value)} />
                <button type="submit" class="button" disabled=${!name.trim()}>${t("newFolder")}</button>
            </form>
        <//>`;
}

/** @param {{ prompt: import("../types.js").Prompt, insert(text: string): void, onClose(): void }} props */
function Fill({ prompt, insert, onClose }) {
    const names = variablesOf(prompt.text);
    const [values, setValues] = useState(/** @type {Record<string, string>} */ ({}));
    const use = (/** @type {Event} */ event) => {
        event.preventDefault();
        onClose();
        insert(fillTemplate(prompt.text, Object.fromEntries(names.map((name) => [name, values[name] ?? ""]))));
    };
    const onKeyDown = (/** @type {any} */ event) => {
        const isDone = event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
        if (isDone) use(event);
    };
    return html`
        <${Dialog} title=${prompt.name} onClose=${onClose}>
            <form onSubmit=${use}>
                ${names.map((name, index) => html`<label class="stacked" key=${name}><span>${name}</span>
                    <textarea rows="2" autofocus=${index === 0} value=${values[name] ?? ""} onKeyDown=${onKeyDown}
                        onInput=${(/** @type {any} */ event) =>
                            setValues({ ...values, [name]: event.target.value })} /></label>`)}
                <div class="editor-actions"><button type="submit" class="button primary">${t("insert")}</button></div>
            </form>
        <//>`;
}

/** @param {{ title: string, label: string, value: string, action: string, isOptional?: boolean,
 *   act(value: string): void, onClose(): void }} props */
function Name({ title, label, value, action, isOptional = false, act, onClose }) {
    const [name, setName] = useState(value);
    const submit = (/** @type {Event} */ event) => {
        event.preventDefault();
        if (!name.trim() && !isOptional) return;
        onClose();
        act(name.trim());
    };
    return html`
        <${Dialog} title=${title} onClose=${onClose}>
            <form onSubmit=${submit}>
                <label class="stacked"><span>${label}</span>
                    <input autofocus value=${name} dir="auto" onInput=${(/** @type {any} */ event) => setName(event.target.value)} /></label>
                <div class="editor-actions">
                    <button type="button" class="button" onClick=${onClose}>${t("cancel")}</button>
                    <button type="submit" class="button primary" disabled=${!name.trim() && !isOptional}>${action}</button></div>
            </form>
        <//>`;
}

/** What was retrieved for an answer. @param {{ page: Page, sources: import("../types.js").Sources, onClose(): void }} props */
function HowFound({ page, sources, onClose }) {
    const { passages, citations, confidence, found, query } = sources;
    const again = () => {
        onClose();
        page.go("search", encodeURIComponent(query));
    };
    return html`
        <${Dialog} title=${t("howFoundTitle")} class="wide-dialog" onClose=${onClose}>
            <${Confidence} confidence=${confidence} found=${found} />
            ${query && html`<p class="note">${t("askedAs", { query })}</p>`}
            <${Hits} page=${page} hits=${passages} cited=${new Set((citations ?? []).flatMap((one) => one.passages))} onPick=${onClose} />
            ${query && html`<div class="editor-actions"><button type="button" class="button" onClick=${again}>${t("allFigures")}</button></div>`}
        <//>`;
}

/** @param {{ title: string, text: string, action: string, act(): void, onClose(): void }} props */
function Confirm({ title, text, action, act, onClose }) {
    return html`
        <${Dialog} title=${title} onClose=${onClose}>
            <p>${text}</p>
            <div class="editor-actions">
                <button type="button" class="button" onClick=${onClose}>${t("cancel")}</button>
                <button type="button" class="button danger" autofocus onClick=${() => { onClose(); act(); }}>${action}</button>
            </div>
        <//>`;
}
