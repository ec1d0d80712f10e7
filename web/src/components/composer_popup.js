/* Composer popup: what `/` and `@` at the start of a message list: commands, prompt templates, models. */

import { useEffect } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { commandsNow, fits, variablesOf } from "../commands.js";
import { Icon } from "./icons.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {{ name: string, label: string, icon: import("./icons.js").IconName,
 *   act(insert: (text: string) => void): void }} Item */

/** Uses a template: asks for its variables, if it has any.
 * @param {Page} page @param {import("../types.js").Prompt} prompt @param {(text: string) => void} insert */
export function usePrompt(page, prompt, insert) {
    if (variablesOf(prompt.text).length) page.ask("prompt", { prompt, insert });
    else insert(prompt.text);
}

/** @param {Page} page @param {string} text
 * @returns {Item[]} */
export function popupItems(page, text) {
    const match = /^([/@])([^\n]{0,40})$/.exec(text);
    if (!match) return [];
    const typed = match[2];
    if (match[1] === "@")
        return page.models.chat.filter(({ name, title }) => fits(`${name} ${title}`, typed)).map((model) => ({
            name: `@${model.name}`, label: model.title, icon: "models",
            act: () => void page.setModel(model.name),
        }));
    /** @type {Item[]} */
    const prompts = page.prompts.filter(({ name }) => fits(name, typed)).map((prompt) => ({
        name: `/${prompt.name}`, label: prompt.text.slice(0, 80), icon: "edit",
        act: (insert) => usePrompt(page, prompt, insert),
    }));
    const commands = commandsNow(page).filter(({ name, label }) => fits(`${name} ${t(label)}`, typed));
    return [...prompts, ...commands.map(({ name, label, icon, act }) => ({
        name: `/${name}`, label: t(label), icon, act: () => act(page),
    }))];
}

/** @param {{ items: Item[], chosen: number, onUse(index: number): void }} props */
export function ComposerPopup({ items, chosen, onUse }) {
    useEffect(() => document.getElementById(`command-${chosen}`)?.scrollIntoView({ block: "nearest" }), [chosen]);
    return html`<ul class="popup" id="commands" role="listbox" tabindex="0" aria-label=${t("commands")}>
        ${items.map((item, index) => html`
            <li key=${item.name} id="command-${index}" role="option" aria-selected=${index === chosen}
                onPointerDown=${(/** @type {Event} */ event) => { event.preventDefault(); onUse(index); }}>
                <${Icon} name=${item.icon} /><strong>${item.name}</strong><span>${item.label}</span></li>`)}
    </ul>`;
}
