/* Prompt settings: the templates that `/` offers. */

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { call, createId } from "../api.js";
import { t } from "../later_words.js";
import { variablesOf } from "../commands.js";
import { IconButton } from "../components/icons.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../types.js").Prompt} Prompt */

/** @param {{ page: Page }} props */
export function PromptSettings({ page }) {
    const [edited, setEdited] = useState("");
    const isNew = edited === "new";
    const save = async (/** @type {Prompt} */ prompt) => {
        const done = await page.attempt(() => isNew
            ? call("POST", "/api/prompts", prompt) : call("PUT", `/api/prompts/${prompt.id}`, prompt));
        if (done === undefined) return;
        setEdited("");
        page.loadPrompts();
    };
    const remove = async (/** @type {Prompt} */ { id }) => {
        await page.attempt(() => call("DELETE", `/api/prompts/${id}`));
        page.loadPrompts();
    };
    return html`<p class="note">${t("promptsHelp")}</p>
        <ul class="rows">${page.prompts.map((prompt) => edited === prompt.id
            ? html`<li key=${prompt.id}><${Form} prompt=${prompt} onSave=${save} onCancel=${() => setEdited("")} /></li>`
            : html`<li key=${prompt.id} class="row"><span class="row-text"><strong>/${prompt.name}</strong>
                    <small>${prompt.text.slice(0, 120)}</small></span>
                <${IconButton} icon="edit" label=${`${t("edit")}: ${prompt.name}`} onClick=${() => setEdited(prompt.id)} />
                <${IconButton} icon="trash" label=${`${t("delete")}: ${prompt.name}`} onClick=${() => remove(prompt)} /></li>`)}
            ${isNew && html`<li key="new"><${Form} prompt=${{ id: createId(), name: "", text: "" }}
                onSave=${save} onCancel=${() => setEdited("")} /></li>`}</ul>
        ${!isNew && html`<button type="button" class="button" onClick=${() => setEdited("new")}>${t("newPrompt")}</button>`}`;
}

/** @param {{ prompt: Prompt, onSave(prompt: Prompt): void, onCancel(): void }} props */
function Form({ prompt, onSave, onCancel }) {
    const [name, setName] = useState(prompt.name);
    const [text, setText] = useState(prompt.text);
    const variables = variablesOf(text);
    const submit = (/** @type {Event} */ event) => {
        event.preventDefault();
        onSave({ id: prompt.id, name: name.trim().replace(/\s+/g, "-"), text });
    };
    return html`<form class="prompt-form" onSubmit=${submit}>
        <label class="stacked"><span>${t("promptName")}</span><input required value=${name} autofocus
            onInput=${(/** @type {any} */ event) => setName(event.target.value)} /></label>
        <label class="stacked"><span>${t("promptText")}</span><textarea required rows="4" value=${text} dir="auto"
            onInput=${(/** @type {any} */ event) => setText(event.target.value)} /></label>
        <p class="note">${variables.length ? t("asksFor", { names: variables.join(", ") }) : t("variablesHelp")}</p>
        <div class="editor-actions">
            <button type="button" class="button" onClick=${onCancel}>${t("cancel")}</button>
            <button type="submit" class="button primary" disabled=${!name.trim() || !text.trim()}>${t("save")}</button>
        </div></form>`;
}
