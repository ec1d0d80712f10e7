/* Workspace view: the settings of the workspace that is looked at. Each field is taken over when the
 * reader leaves it. */

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { formatNumber } from "../i18n.js";
import { t } from "../later_words.js";
import { Icon } from "../components/icons.js";
import { Choice } from "../components/panel.js";
import { removeWorkspace } from "../components/workspace_bar.js";
import { TextField } from "./text_field.js";

/** @typedef {import("../page.js").Page} Page */

/** @type {{ name: "count" | "budget_tokens" | "diversity", label: import("../i18n.js").StringKey,
 *   help: import("../i18n.js").StringKey, min: number, max?: number, step: number }[]} */
const NUMBERS = [
    { name: "count", label: "retrievalCount", help: "retrievalCountHelp", min: 1, max: 50, step: 1 },
    { name: "budget_tokens", label: "retrievalBudget", help: "retrievalBudgetHelp", min: 0, step: 1 },
    { name: "diversity", label: "retrievalDiversity", help: "retrievalDiversityHelp", min: 0, max: 1, step: 0.05 },
];

/** @param {{ page: Page }} props */
export function WorkspaceView({ page }) {
    const { current, isOffered, isLoaded } = page.workspaces;
    if (!isOffered || !current)
        return html`<div class="scroller"><div class="view"><p class="nothing">${
            t(!isOffered ? "notOffered" : isLoaded ? "noWorkspaceChosen" : "loading")}</p></div></div>`;
    return html`<${Settings} key=${current.id} page=${page} />`;
}

/** @param {{ page: Page }} props */
function Settings({ page }) {
    const { workspaces, models } = page;
    const current = /** @type {import("../types.js").Workspace} */ (workspaces.current);
    const change = (/** @type {Partial<typeof current>} */ changes) => workspaces.change(current.id, changes);
    return html`<div class="scroller"><div class="view settings">
        <p class="facts">${t("workspaceFacts", { documents: formatNumber(current.documents ?? 0), threads: formatNumber(current.threads ?? 0) })}</p>
        <section aria-label=${t("general")}><h2>${t("general")}</h2>
            <${TextField} label=${t("workspaceName")} value=${current.name} isNeeded
                onDone=${(/** @type {string} */ name) => change({ name })} />
            <${TextField} label=${t("tags")} help=${t("tagsHelp")} value=${(current.tags ?? []).join(", ")}
                onDone=${(/** @type {string} */ text) => change({ tags: [...new Set(text.split(",").map((one) => one.trim()).filter(Boolean))] })} />
        </section>
        <section aria-label=${t("workspaceAnswers")}><h2>${t("workspaceAnswers")}</h2>
            <label class="stacked setting"><span>${t("model")}</span>
                <select class="framed" value=${current.model} onChange=${(/** @type {any} */ event) => change({ model: event.target.value })}>
                    <option value="" selected=${!current.model}>${t("modelOfSettings")}</option>
                    ${models.chat.map((one) => html`<option value=${one.name} selected=${one.name === current.model}>${one.title || one.name}</option>`)}
                    ${current.model && !models.chat.some(({ name }) => name === current.model) &&
                        html`<option value=${current.model} selected>${current.model}</option>`}</select></label>
            <${TextField} label=${t("systemPrompt")} help=${t("workspaceSystemHelp")} value=${current.system} rows=${4}
                onDone=${(/** @type {string} */ system) => change({ system })} />
        </section>
        <section aria-label=${t("retrieval")}><h2>${t("retrieval")}</h2>
            <${Toggle} label=${t("onlyDocuments")} help=${t("onlyDocumentsHelp")} isOn=${!!current.retrieval?.only_documents}
                onChange=${(/** @type {boolean} */ isOn) => workspaces.setRetrieval({ only_documents: isOn })} />
            <${Choice} label=${t("rewriteQuestions")} name="rewrite" value=${current.retrieval?.rewrite ?? "auto"}
                options=${[["auto", t("automatic")], ["model", t("rewriteModel")], ["off", t("rewriteOff")]]}
                onPick=${(/** @type {"auto" | "off" | "model"} */ rewrite) => workspaces.setRetrieval({ rewrite })} />
            <p class="note">${t("rewriteQuestionsHelp")}</p>
            ${NUMBERS.map((one) => html`<${NumberField} key=${one.name} field=${one} value=${current.retrieval?.[one.name]}
                onDone=${(/** @type {number | null} */ value) => workspaces.setRetrieval({ [one.name]: value })} />`)}
        </section>
        <section aria-label=${t("exportWorkspace")}><h2>${t("exportWorkspace")}</h2>
            <p class="note">${t("exportWorkspaceHelp")}</p>
            <div class="buttons"><a class="button" href=${`/api/workspaces/${current.id}/export`} download
                onClick=${() => page.tell(t("fileComes"))}>
                <${Icon} name="download" />${t("exportWorkspace")}</a></div></section>
        <section aria-label=${t("deleteWorkspace")}><div class="buttons">
            <button type="button" class="button danger" onClick=${() => removeWorkspace(page)}>${t("deleteWorkspace")}</button></div></section>
    </div></div>`;
}

/** @param {{ field: typeof NUMBERS[number], value: number | null | undefined, onDone(value: number | null): void }} props */
function NumberField({ field, value, onDone }) {
    const [draft, setDraft] = useState(value === null || value === undefined ? "" : String(value));
    const id = `retrieval-${field.name}`;
    const onChange = (/** @type {any} */ event) => {
        const input = /** @type {HTMLInputElement} */ (event.target);
        if (input.value === "") onDone(null);
        else if (input.checkValidity()) onDone(Number(input.value));
        else input.reportValidity();
    };
    return html`<div class="field setting"><label for=${id}>${t(field.label)}</label>
        <input id=${id} type="number" inputmode="decimal" value=${draft} min=${field.min} max=${field.max} step=${field.step}
            placeholder=${t("automatic")} aria-describedby="${id}-help" onChange=${onChange}
            onInput=${(/** @type {any} */ event) => setDraft(event.target.value)} />
        <small id="${id}-help">${t(field.help)}</small></div>`;
}

/** @param {{ label: string, help: string, isOn: boolean, onChange(isOn: boolean): void }} props */
function Toggle({ label, help, isOn, onChange }) {
    return html`<label class="switch setting"><span>${label}<small>${help}</small></span>
        <input type="checkbox" role="switch" checked=${isOn} onChange=${(/** @type {any} */ event) => onChange(event.target.checked)} /></label>`;
}
