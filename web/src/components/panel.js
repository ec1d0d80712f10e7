/* Panel: what this chat is told and how it samples. Instructions and the task preset are in sight, the
 * sampler's own figures behind one disclosure. An empty field leaves the choice to the preset and the
 * model, and says so. */

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { PRESETS } from "./composer.js";
import { IconButton } from "./icons.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {Exclude<keyof import("../types.js").Parameters, "preset" | "stop">} NumberName */
/** @typedef {import("../i18n.js").StringKey} StringKey */

/** @type {{ name: NumberName, label: StringKey, help: StringKey, min: number, max?: number, step: number }[]} */
export const NUMBERS = [
    { name: "temperature", label: "temperature", help: "temperatureHelp", min: 0, max: 2, step: 0.05 },
    { name: "top_p", label: "topP", help: "topPHelp", min: 0, max: 1, step: 0.01 },
    { name: "top_k", label: "topK", help: "topKHelp", min: 0, step: 1 },
    { name: "min_p", label: "minP", help: "minPHelp", min: 0, max: 1, step: 0.01 },
    { name: "max_tokens", label: "maxTokens", help: "maxTokensHelp", min: 1, step: 1 },
    { name: "seed", label: "seed", help: "seedHelp", min: 0, step: 1 },
    { name: "repeat_penalty", label: "repeatPenalty", help: "repeatPenaltyHelp", min: 0, max: 2, step: 0.01 },
    { name: "frequency_penalty", label: "frequencyPenalty", help: "frequencyPenaltyHelp", min: -2, max: 2, step: 0.05 },
    { name: "presence_penalty", label: "presencePenalty", help: "presencePenaltyHelp", min: -2, max: 2, step: 0.05 },
];

/** @param {{ page: Page, onClose(): void }} props */
export function Panel({ page, onClose }) {
    const { open } = page;
    const preset = open.data.parameters.preset ?? "";
    return html`
        <aside class="panel" aria-label=${t("thisChat")}>
            <div class="panel-head">
                <h2>${t("thisChat")}</h2>
                <${IconButton} icon="close" label=${t("close")} onClick=${onClose} />
            </div>
            <section>
                <${Instructions} key=${open.id} page=${page} />
                <${Choice} label=${t("preset")} name="preset" value=${preset}
                    options=${PRESETS.map(([value, label]) => [value, t(label)])}
                    onPick=${(/** @type {string} */ value) => open.setParameters({ preset: value || null })} />
            </section>
            <details class="advanced">
                <summary>${t("advanced")}</summary>
                ${NUMBERS.map((field) => html`
                    <${NumberField} key=${open.id + field.name} page=${page} field=${field} />`)}
                <${Stops} key=${open.id} page=${page} />
                <button type="button" class="button" onClick=${() => {
                    open.change({ parameters: preset ? { preset } : {} });
                    onClose();
                }}>${t("resetAll")}</button>
            </details>
        </aside>`;
}

/* What is being typed is a draft of the field's own, taken over when the reader leaves it: a redraw in
 * between (a token arrives) must not put the old value back. */

/** @param {{ page: Page }} props */
function Instructions({ page }) {
    const [draft, setDraft] = useState(page.open.data.system);
    return html`
        <label class="field" for="system"><span>${t("systemPrompt")}</span></label>
        <textarea id="system" rows="5" placeholder=${t("systemPlaceholder")} value=${draft} dir="auto"
            onInput=${(/** @type {any} */ event) => setDraft(event.target.value)}
            onChange=${() => page.open.change({ system: draft })} />`;
}

/** @param {{ page: Page, field: typeof NUMBERS[number] }} props */
function NumberField({ page, field }) {
    const [draft, setDraft] = useState(String(page.open.data.parameters[field.name] ?? ""));
    const onChange = (/** @type {any} */ event) => {
        const input = /** @type {HTMLInputElement} */ (event.target);
        if (input.value === "") page.open.setParameters({ [field.name]: null });
        else if (input.checkValidity()) page.open.setParameters({ [field.name]: Number(input.value) });
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

/** @param {{ page: Page }} props */
function Stops({ page }) {
    const [draft, setDraft] = useState((page.open.data.parameters.stop ?? []).join("\n"));
    return html`
        <label class="field wide" for="stop"><span>${t("stops")}</span><small>${t("stopsHelp")}</small></label>
        <textarea id="stop" rows="2" value=${draft}
            onInput=${(/** @type {any} */ event) => setDraft(event.target.value)}
            onChange=${() => {
                const stop = draft.split("\n").filter(Boolean);
                page.open.setParameters({ stop: stop.length ? stop : null });
            }} />`;
}

/** @param {{ label: string, name: string, value: string, options: [string, string][],
 *   onPick(value: string): void }} props */
export function Choice({ label, name, value, options, onPick }) {
    return html`
        <fieldset class="choice">
            <legend>${label}</legend>
            <div>${options.map(([key, text]) => html`
                <label key=${key}>
                    <input type="radio" name=${name} value=${key} checked=${key === value}
                        onChange=${() => onPick(key)} /><span>${text}</span></label>`)}</div>
        </fieldset>`;
}
