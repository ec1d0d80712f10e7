/* Reports view: what is written about documents as a whole, rather than in answer to one question: a
 * summary, a comparison, a table with one row a document. `#/in/WORKSPACE/reports`, `.../reports/new`,
 * `.../reports/ID`. */

import { html } from "../html.js";
import { formatDate, formatNumber } from "../i18n.js";
import { t } from "../later_words.js";
import { Icon } from "../components/icons.js";
import { ReportForm } from "./report_form.js";
import { ReportPage } from "./report_page.js";
import { progressWords, ReportButtons, ReportProgress } from "./report_state.js";
import { KINDS, useReports } from "./reports_list.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../types.js").Report} Report */

/** @param {{ page: Page }} props */
export function ReportsView({ page }) {
    if (!page.workspaces.isOffered) return html`<${NotOffered} />`;
    if (page.detail === "new") return html`<${ReportForm} key=${page.workspaces.id} page=${page} />`;
    if (page.detail) return html`<${ReportPage} key=${page.detail} page=${page} id=${page.detail} />`;
    return html`<${All} page=${page} />`;
}

const NotOffered = () => html`<div class="scroller"><div class="view"><p class="nothing">${t("notOffered")}</p></div></div>`;

/** @param {{ page: Page }} props */
function All({ page }) {
    const list = useReports(page, page.workspaces.id);
    if (!list.isOffered) return html`<${NotOffered} />`;
    const all = list.all.filter(({ id }) => !page.parting.hidden.has(id));
    return html`<div class="scroller"><div class="view reports" aria-busy=${!list.isLoaded}>
        <p class="note">${t("reportsHelp")}</p>
        <div class="buttons"><a class="button primary" href=${page.address("reports", "new")}><${Icon} name="compose" />${t("newReport")}</a></div>
        ${all.length > 0 && html`<section aria-label=${t("reports")}><h2>${t("reports")}</h2>
            <ul class="cards">${all.map((one) => html`<${Row} key=${one.id} page=${page} report=${one} />`)}</ul>
            ${list.next && html`<div class="buttons"><button type="button" class="button" onClick=${() => list.load(true)}>${t("showMore")}</button></div>`}
        </section>`}
        ${list.isLoaded && !all.length && html`<p class="nothing">${t("noReports")}</p>`}
    </div></div>`;
}

/** @param {{ page: Page, report: Report }} props */
function Row({ page, report }) {
    const { id, kind, title, state, created, documents } = report;
    const words = progressWords(report);
    return html`<li class="card">
        <div class="card-text">
            <h3><a href=${page.address("reports", id)} dir="auto">${title || t(KINDS[kind])}</a> <span class="badge">${t(KINDS[kind])}</span></h3>
            <${ReportProgress} report=${report} />
            <p class="facts">${[t("documentsCount", { count: formatNumber(documents?.length ?? 0) }), formatDate(created)].join(" · ")}</p>
            ${words && html`<p class="facts ${state === "failed" ? "problem" : ""}">${words}</p>`}
        </div>
        <div class="card-actions"><${ReportButtons} page=${page} report=${report} /></div></li>`;
}
