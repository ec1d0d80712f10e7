/* Report form: what is to be written, about which documents. What is typed is a draft that stays when
 * another view is looked at (report_draft.js). */

import { useReducer, useState } from "preact/hooks";
import { html } from "../html.js";
import { formatNumber } from "../i18n.js";
import { t } from "../later_words.js";
import { call, toFailure } from "../api.js";
import { Icon, IconButton } from "../components/icons.js";
import { Choice } from "../components/panel.js";
import { DocumentPicker } from "./document_picker.js";
import { changeDraft, draftOf, forgetDraft, missingIn, newColumn, requestOf } from "./report_draft.js";
import { KINDS } from "./reports_list.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("./report_draft.js").Draft} Draft */

const CHIPS_MAX = 40;

/** @param {{ page: Page }} props */
export function ReportForm({ page }) {
    const [, redraw] = useReducer((/** @type {number} */ turns) => turns + 1, 0);
    const [problem, setProblem] = useState("");
    const [isBusy, setBusy] = useState(false);
    const draft = draftOf(page);
    const { kind, question, documents, workspace } = draft;
    const inWorkspace = page.workspaces.current?.documents ?? 0;
    const missing = missingIn(draft, inWorkspace);
    const change = (/** @type {Partial<Draft>} */ changes) => {
        changeDraft(page, changes);
        setProblem("");
        redraw(0);
    };
    const submit = async (/** @type {Event} */ event) => {
        event.preventDefault();
        if (missing || isBusy) return;
        setBusy(true);
        try {
            const reply = await call("POST", "/api/reports", requestOf(draft));
            const report = reply.report ?? reply;
            forgetDraft(page);
            if (page.view === "reports") page.go("reports", report.id);
        } catch (error) {
            page.note(error);
            setProblem(toFailure(error).detail);
        }
        setBusy(false);
    };
    return html`<div class="scroller"><div class="view settings">
        <form class="report-form" onSubmit=${submit}>
            <h2>${t("newReport")}</h2>
            <${Choice} label=${t("reportKind")} name="report-kind" value=${kind}
                options=${Object.entries(KINDS).map(([value, label]) => [value, t(label)])}
                onPick=${(/** @type {Draft["kind"]} */ value) => change({ kind: value })} />
            <p class="note">${t(kind === "summary" ? "reportSummaryHelp" : kind === "table" ? "reportTableHelp" : "reportComparisonHelp")}</p>
            <${Documents} page=${page} draft=${draft} inWorkspace=${inWorkspace} onChange=${change} />
            ${kind === "table" ? html`<${Columns} columns=${draft.columns} onChange=${change} />`
                : html`<label class="stacked setting"><span>${t("reportQuestion")}</span>
                    <textarea rows="2" dir="auto" value=${question}
                        onInput=${(/** @type {any} */ event) => change({ question: event.target.value })} />
                    <small>${t("reportQuestionHelp")}</small></label>`}
            <${Model} page=${page} value=${draft.model} onPick=${(/** @type {string} */ model) => change({ model })} />
            ${problem && html`<p class="problem" role="alert">${problem}</p>`}
            <div class="editor-actions">
                <a class="button" href=${page.address("reports")}>${t("cancel")}</a>
                <button type="submit" class="button primary" disabled=${!!missing || isBusy}
                    aria-describedby="report-missing">${t("startReport")}</button></div>
            <p class="note" id="report-missing" role="status">${missing ? t(missing)
                : !documents.length && workspace ? t("wholeWorkspace", { count: formatNumber(inWorkspace) }) : ""}</p>
        </form></div></div>`;
}

/** @param {{ page: Page, draft: Draft, inWorkspace: number, onChange(changes: Partial<Draft>): void }} props */
function Documents({ page, draft, inWorkspace, onChange }) {
    const { kind, documents, workspace } = draft;
    const [isOpen, setOpen] = useState(kind === "comparison" && documents.length < 2);
    const choose = (/** @type {import("./report_draft.js").Chosen} */ one, /** @type {boolean} */ isOn) => {
        const others = documents.filter(({ id }) => id !== one.id);
        onChange({ documents: isOn ? [...others, one] : others });
    };
    return html`<section aria-label=${t("documents")}><h2>${t("documents")}</h2>
        ${documents.length > 0 ? html`<ul class="chips">${documents.slice(0, CHIPS_MAX).map((one) => html`
                <li key=${one.id} class="chip"><${Icon} name="file" /><span class="chip-name" title=${one.name}>${one.name.split("/").at(-1)}</span>
                    <${IconButton} icon="close" label=${t("removeAttachment", { name: one.name })} onClick=${() => choose(one, false)} /></li>`)}
                ${documents.length > CHIPS_MAX && html`<li class="note">${t("moreJobs", { count: formatNumber(documents.length - CHIPS_MAX) })}</li>`}</ul>`
            : kind !== "comparison" && workspace && html`<p>${t("wholeWorkspace", { count: formatNumber(inWorkspace) })}</p>`}
        <div class="buttons"><button type="button" class="button" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>${
                t(isOpen ? "chosenEnough" : "chooseDocuments")}</button>
            ${documents.length > 0 && html`<button type="button" class="button" onClick=${() => onChange({ documents: [] })}>${t("chooseNone")}</button>`}</div>
        ${isOpen && html`<${DocumentPicker} page=${page} chosen=${documents} onChoose=${choose} />`}
    </section>`;
}

/** @param {{ columns: Draft["columns"], onChange(changes: Partial<Draft>): void }} props */
function Columns({ columns, onChange }) {
    const set = (/** @type {string} */ key, /** @type {object} */ changes) =>
        onChange({ columns: columns.map((one) => (one.key === key ? { ...one, ...changes } : one)) });
    return html`<section aria-label=${t("columns")}><h2>${t("columns")}</h2>
        <ol class="columns">${columns.map(({ key, name, description }, index) => html`<li key=${key}>
            <input value=${name} dir="auto" aria-label=${t("columnName", { number: index + 1 })} placeholder=${t("columnNamePlaceholder")}
                onInput=${(/** @type {any} */ event) => set(key, { name: event.target.value })} />
            <input value=${description} dir="auto" aria-label=${t("columnDescription", { number: index + 1 })}
                placeholder=${t("columnDescriptionPlaceholder")}
                onInput=${(/** @type {any} */ event) => set(key, { description: event.target.value })} />
            <${IconButton} icon="close" label=${t("removeColumn", { number: index + 1 })} disabled=${columns.length < 2}
                onClick=${() => onChange({ columns: columns.filter((one) => one.key !== key) })} /></li>`)}</ol>
        <div class="buttons"><button type="button" class="button" onClick=${() => onChange({ columns: [...columns, newColumn()] })}>${
            t("addColumn")}</button></div></section>`;
}

/** @param {{ page: Page, value: string, onPick(model: string): void }} props */
function Model({ page, value, onPick }) {
    const { chat } = page.models;
    return html`<label class="stacked setting"><span>${t("model")}</span>
        <select class="framed" value=${value} onChange=${(/** @type {any} */ event) => onPick(event.target.value)}>
            <option value="" selected=${!value}>${t("automatic")}</option>
            ${chat.map((one) => html`<option value=${one.name} selected=${one.name === value}>${one.title || one.name}</option>`)}
            ${value && !chat.some(({ name }) => name === value) && html`<option value=${value} selected>${value}</option>`}</select></label>`;
}
