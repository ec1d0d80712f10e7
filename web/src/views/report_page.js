/* Report page: one report: how far it is, its text with markers as in an answer, or its table, each cell
 * of which opens the passage that it was taken from. What there is so far is shown while it is written. */

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { formatDate, formatNumber, language } from "../i18n.js";
import { t } from "../later_words.js";
import { download } from "../files.js";
import { sourceName } from "../components/citations.js";
import { Icon } from "../components/icons.js";
import { CopyButton } from "../components/message_tools.js";
import { Prose } from "../components/prose.js";
import { openDocument } from "./document_row.js";
import { repeatReport } from "./report_draft.js";
import { progressWords, ReportButtons, ReportProgress } from "./report_state.js";
import { isActive, KINDS, reportActions, useReport } from "./reports_list.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../types.js").Report} Report */
/** @typedef {import("../types.js").ReportResult} Result */

const NAMES_MAX = 12;
/* Drawn at first. */
const ROWS = 200;
const SOURCES = 60;

/** @param {{ page: Page, id: string }} props */
export function ReportPage({ page, id }) {
    const { report, problem } = useReport(page, id);
    const back = html`<p><a class="button" href=${page.address("reports")}><${Icon} name="previous" />${t("allReports")}</a></p>`;
    if (!report)
        return html`<div class="scroller"><div class="view wide">${back}<p class="nothing" role="status">${problem || t("loading")}</p></div></div>`;
    const { kind, title, result, question, state } = report;
    const words = progressWords(report);
    const name = title || t(KINDS[kind]);
    return html`<div class="scroller"><article class="view wide report" aria-label=${name} aria-busy=${isActive(report)}>
        ${back}
        <header class="report-head">
            <h2 dir="auto">${name}</h2>
            <div class="report-buttons"><${ReportButtons} page=${page} report=${report} onRemoved=${() => page.go("reports")} /></div>
        </header>
        <${Facts} page=${page} report=${report} />
        ${question && html`<p class="note" dir="auto">${t("reportAsked", { question })}</p>`}
        <${ReportProgress} report=${report} />
        ${words && html`<p class="facts ${state === "failed" ? "problem" : ""}" role="status">${words}</p>`}
        ${problem && html`<p class="problem" role="alert">${problem}</p>`}
        <${Tools} page=${page} report=${report} />
        ${result && (kind === "table" ? html`<${Table} page=${page} report=${report} result=${result} />`
            : html`<${Text} page=${page} result=${result} />`)}
    </article></div>`;
}

/** @param {{ page: Page, report: Report }} props */
function Facts({ page, report }) {
    const { kind, created, model, documents = [] } = report;
    return html`<p class="facts">${[t(KINDS[kind]), formatDate(created), model].filter(Boolean).join(" · ")}</p>
        <ul class="source-row" aria-label=${t("documents")}>${documents.slice(0, NAMES_MAX).map((one) => html`<li key=${one.id}>
                <button type="button" onClick=${() => openDocument(page, /** @type {any} */ ({ title: "", format: "", ...one }))}>
                    <${Icon} name="file" /><span>${one.name.split("/").at(-1)}</span></button></li>`)}
            ${documents.length > NAMES_MAX && html`<li class="note">${t("moreJobs", { count: formatNumber(documents.length - NAMES_MAX) })}</li>`}</ul>`;
}

/** @param {{ page: Page, report: Report }} props */
function Tools({ page, report }) {
    const { id, kind, title, result } = report;
    const name = title || t(KINDS[kind]);
    const fetchAs = (/** @type {string} */ format, /** @type {string} */ ending) => () =>
        page.attempt(() => download(`/api/reports/${encodeURIComponent(id)}/${format}`, `${name}.${ending}`));
    const rename = () => page.ask("name", {
        title: t("rename"), label: t("reportTitle"), value: title, action: t("save"), act: reportActions(page, report).rename,
    });
    return html`<div class="buttons report-tools">
        ${result && kind === "table" && html`<button type="button" class="button" onClick=${fetchAs("csv", "csv")}>
            <${Icon} name="download" />CSV</button>`}
        ${result && html`<button type="button" class="button" onClick=${fetchAs("markdown", "md")}><${Icon} name="download" />Markdown</button>`}
        ${result?.text && html`<${CopyButton} text=${result.text} label=${t("copyReport")} />`}
        <button type="button" class="button" onClick=${rename}><${Icon} name="edit" />${t("rename")}</button>
        ${!isActive(report) && html`<button type="button" class="button" onClick=${() => repeatReport(page, report)}>
            <${Icon} name="redo" />${t("repeatReport")}</button>`}</div>`;
}

/** @param {{ page: Page, result: Result }} props */
function Text({ page, result }) {
    const { text = "", passages = [], citations = [] } = result;
    const numberOf = (/** @type {number} */ index) => passages[index].number ?? index + 1;
    const open = (/** @type {number} */ number) => page.showSource(passages, passages.findIndex((_, index) => numberOf(index) === number));
    const cited = new Set(citations.flatMap((one) => one.passages));
    const sources = passages.map((passage, index) => ({ passage, index })).filter(({ index }) => cited.has(numberOf(index)));
    const [shown, more] = useMore(sources.length, SOURCES);
    return html`<div class="report-text"><${Prose} text=${text} language=${language()} isRunning=${false} onSource=${open}
            sources=${{ found: true, confidence: 1, query: "", passages, citations }} /></div>
        ${sources.length > 0 && html`<section aria-label=${t("sources")}><h2>${t("sources")}</h2>
            <ul class="source-row">${sources.slice(0, shown).map(({ passage, index }) => html`<li key=${index}>
                <button type="button" onClick=${() => page.showSource(passages, index)}>
                    <b>${numberOf(index)}</b><span>${sourceName(passage)}</span></button></li>`)}</ul>${more}</section>`}`;
}

/** @param {{ page: Page, report: Report, result: Result }} props */
function Table({ page, report, result }) {
    const { rows = [], passages = [] } = result;
    const { columns, title } = report;
    const [shown, more] = useMore(rows.length, ROWS);
    return html`<div class="table report-table" tabindex="0" role="group" aria-label=${title || t("reportTable")}><table>
        <thead><tr><th scope="col">${t("document")}</th>${columns.map((one) => html`<th scope="col" title=${one.description}>${one.name}</th>`)}</tr></thead>
        <tbody>${rows.slice(0, shown).map((row) => html`<tr key=${row.document}>
            <th scope="row" dir="auto" title=${row.name}>${row.name.split("/").at(-1)}</th>
            ${columns.map((_, index) => html`<td key=${index}><${Cell} page=${page} cell=${row.cells[index]} passages=${passages} /></td>`)}</tr>`)}</tbody>
    </table></div>${more}`;
}

/** How many of a long list are drawn, and the button for more. @param {number} count @param {number} first
 * @returns {[number, any]} */
function useMore(count, first) {
    const [shown, setShown] = useState(first);
    return [shown, shown < count && html`<div class="buttons"><button type="button" class="button"
        onClick=${() => setShown(shown * 2)}>${t("showMore")} (${formatNumber(count - shown)})</button></div>`];
}

/** @param {{ page: Page, cell: import("../types.js").Cell | undefined, passages: import("../types.js").Passage[] }} props */
function Cell({ page, cell, passages }) {
    if (!cell?.text) return html`<span class="facts">${cell ? "–" : ""}</span>`;
    const { text, passage, supported } = cell;
    const source = passage === null || passage === undefined ? null : passages[passage];
    if (!source) return html`<span dir="auto" class=${supported ? "" : "doubtful"}>${text}</span>`;
    const name = sourceName(source);
    return html`<button type="button" class="cell" title=${supported ? name : `${t("unsupported")} ${name}`}
        onClick=${() => page.showSource(passages, /** @type {number} */ (passage))}>
        <span dir="auto" class=${supported ? "" : "doubtful"}>${text}</span>
        <span class="only-heard">${supported ? "" : t("unsupported")} ${t("cellSource", { name })}</span></button>`;
}
