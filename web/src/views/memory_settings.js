/* Memory settings: whether Den may remember anything of the reader, and all that it does remember or would
 * like to: each can be changed and taken away. Off, nothing is proposed and nothing is told to a model. */

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { formatDate } from "../i18n.js";
import { t } from "../later_words.js";
import { call } from "../api.js";
import { IconButton } from "../components/icons.js";
import { useMemories } from "./memories.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../types.js").Memory} Memory */

/** @param {{ page: Page }} props */
export function MemorySettings({ page }) {
    const memories = useMemories(page);
    if (!memories.isOffered) return html`<p class="nothing">${t("notOffered")}</p>`;
    const [proposed, kept] = [memories.of("proposed"), memories.of("kept")];
    const set = (/** @type {boolean} */ memory) => page.attempt(async () => {
        await call("PATCH", "/api/settings", { memory });
        page.takeSettings({ memory });
    });
    const removeAll = () => page.ask("confirm", {
        title: t("forgetAll"), text: t("forgetAllText"), action: t("forgetAll"), act: () => memories.removeAll(),
    });
    return html`<label class="switch"><span>${t("useMemory")}<small>${t("useMemoryHelp")}</small></span>
            <input type="checkbox" role="switch" checked=${page.settings.memory}
                onChange=${(/** @type {any} */ event) => set(event.target.checked)} /></label>
        ${proposed.length > 0 && html`<h3>${t("proposedMemories")}</h3>
            <ul class="rows">${proposed.map((one) => html`<${Row} key=${one.id} page=${page} memory=${one} />`)}</ul>`}
        ${kept.length > 0 && html`<h3>${t("keptMemories")}</h3>
            <ul class="rows">${kept.map((one) => html`<${Row} key=${one.id} page=${page} memory=${one} />`)}</ul>`}
        ${memories.isLoaded && !kept.length && !proposed.length && html`<p class="nothing">${t("noMemories")}</p>`}
        ${page.settings.memory && html`<${Add} page=${page} />`}
        ${kept.length + proposed.length > 0 && html`<div class="buttons">
            <button type="button" class="button danger" onClick=${removeAll}>${t("forgetAll")}</button></div>`}`;
}

/** @param {{ page: Page, memory: Memory }} props */
function Row({ page, memory: { id, text, state, workspace, created } }) {
    const memories = useMemories(page);
    const place = page.workspaces.all.find((one) => one.id === workspace)?.name;
    const edit = () => page.ask("name", {
        title: t("edit"), label: t("memoryText"), value: text, action: t("save"),
        act: (/** @type {string} */ changed) => memories.change(id, { text: changed }),
    });
    return html`<li class="row"><span class="row-text"><span dir="auto">${text}</span>
            <small>${[place, formatDate(created)].filter(Boolean).join(" · ")}</small></span>
        ${state === "proposed" && html`<button type="button" class="button" aria-label=${`${t("keepMemory")}: ${text}`}
            onClick=${() => memories.change(id, { state: "kept" })}>${t("keepMemory")}</button>`}
        <${IconButton} icon="edit" label=${`${t("edit")}: ${text}`} onClick=${edit} />
        <${IconButton} icon="trash" label=${`${t("delete")}: ${text}`} onClick=${() => memories.remove(id)} /></li>`;
}

/** @param {{ page: Page }} props */
function Add({ page }) {
    const [text, setText] = useState("");
    const memories = useMemories(page);
    const submit = async (/** @type {Event} */ event) => {
        event.preventDefault();
        const wanted = text.trim();
        if (wanted && await memories.add(wanted)) setText((now) => (now.trim() === wanted ? "" : now));
    };
    return html`<form class="in-line" onSubmit=${submit}>
        <input value=${text} dir="auto" aria-label=${t("newMemory")} placeholder=${t("newMemoryPlaceholder")}
            onInput=${(/** @type {any} */ event) => setText(event.target.value)} />
        <button type="submit" class="button" disabled=${!text.trim()}>${t("addMemory")}</button></form>`;
}
