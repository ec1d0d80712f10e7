/* Settings panel: what this chat is told and how it samples, then how the page looks. An empty field
 * leaves the choice to the preset and the model, and says so. */

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { IconButton } from "./icons.js";

/** @typedef {import("../chat.js").Chat} Chat */
/** @typedef {"temperature" | "top_p" | "max_tokens" | "seed"} NumberName */

/** @type {{ name: NumberName, label: import("../i18n.js").StringKey,
 *   help: import("../i18n.js").StringKey, min: number, max?: number, step: number }[]} */
const NUMBERS = [
    { name: "temperature", label: "temperature", help: "temperatureHelp", min: 0, max: 2, step: 0.05 },
    { name: "top_p", label: "topP", help: "topPHelp", min: 0, max: 1, step: 0.05 },
    { name: "max_tokens", label: "maxTokens", help: "maxTokensHelp", min: 1, step: 1 },
    { name: "seed", label: "seed", help: "seedHelp", min: 0, step: 1 },
];

/** @param {{ chat: Chat, onClose(): void }} props */
export function SettingsPanel({ chat, onClose }) {
    const { id } = chat.conversation;
    return html`
        <aside class="panel" aria-label=${t("settings")}>
            <div class="panel-head">
                <h2>${t("settings")}</h2>
                <${IconButton} icon="close" label=${t("close")} onClick=${onClose} />
            </div>
            <section>
                <h3>${t("thisChat")}</h3>
                <${Instructions} key=${id} chat=${chat} />
                ${NUMBERS.map((field) => html`
                    <${NumberField} key=${id + field.name} chat=${chat} field=${field} />`)}
            </section>
            <section>
                <h3>${t("appearance")}</h3>
                <${Choice} label=${t("theme")} value=${chat.settings.theme}
                    options=${{ system: t("themeSystem"), light: t("themeLight"), dark: t("themeDark") }}
                    onPick=${(/** @type {any} */ theme) => chat.setSettings({ theme })} />
                <${Choice} label=${t("language")} value=${chat.settings.language}
                    options=${{ "": t("languageSystem"), en: "English", zh: "简体中文" }}
                    onPick=${(/** @type {any} */ language) => chat.setSettings({ language })} />
            </section>
            <p class="legal"><a href="/licenses.txt" target="_blank">${t("licenses")}</a></p>
        </aside>`;
}

/* What is being typed is a draft of the field's own, taken over when the reader leaves it: a redraw in
 * between (a token arrives) must not put the old value back. */

/** @param {{ chat: Chat }} props */
function Instructions({ chat }) {
    const [draft, setDraft] = useState(chat.conversation.parameters.system);
    return html`
        <label class="field" for="system"><span>${t("systemPrompt")}</span></label>
        <textarea id="system" rows="4" placeholder=${t("systemPlaceholder")} value=${draft}
            onInput=${(/** @type {any} */ event) => setDraft(event.target.value)}
            onChange=${() => chat.setParameters({ system: draft })} />`;
}

/** @param {{ chat: Chat, field: typeof NUMBERS[number] }} props */
function NumberField({ chat, field }) {
    const [draft, setDraft] = useState(String(chat.conversation.parameters[field.name] ?? ""));
    const onChange = (/** @type {any} */ event) => {
        const input = /** @type {HTMLInputElement} */ (event.target);
        if (input.value === "") chat.setParameters({ [field.name]: null });
        else if (input.checkValidity()) chat.setParameters({ [field.name]: Number(input.value) });
        else input.reportValidity();
    };
    return html`
        <div class="field">
            <label for=${field.name}>${t(field.label)}</label>
            <input id=${field.name} type="number" inputmode="decimal" value=${draft}
                min=${field.min} max=${field.max} step=${field.step} placeholder=${t("automatic")}
                aria-describedby="${field.name}-help" onChange=${onChange}
                onInput=${(/** @type {any} */ event) => setDraft(event.target.value)} />
            <small id="${field.name}-help">${t(field.help)}</small>
        </div>`;
}

/** @param {{ label: string, value: string, options: Record<string, string>,
 *   onPick(value: string): void }} props */
function Choice({ label, value, options, onPick }) {
    return html`
        <fieldset class="choice">
            <legend>${label}</legend>
            <div>${Object.entries(options).map(([key, text]) => html`
                <label key=${key}>
                    <input type="radio" name=${label} value=${key} checked=${key === value}
                        onChange=${() => onPick(key)} /><span>${text}</span></label>`)}</div>
        </fieldset>`;
}
