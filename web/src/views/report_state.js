/* Report state: how far a report is, in words and as a bar, and the buttons that steer it; in the list and
 * at the head of the report. */

import { html } from "../html.js";
import { formatDuration, formatNumber } from "../i18n.js";
import { t } from "../later_words.js";
import { IconButton } from "../components/icons.js";
import { isActive, KINDS, reportActions } from "./reports_list.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../types.js").Report} Report */

/** @type {Record<string, import("../i18n.js").StringKey>} */
const STATES = { waiting: "stateWaiting", paused: "statePaused", failed: "stateFailed", cancelled: "stateCancelled" };

/** State, progress and time left in words. @param {Report} report */
export function progressWords({ state, done, total, seconds_left: left, error }) {
    const isRunning = state === "running";
    return [STATES[state] && t(STATES[state]),
            isActive(/** @type {Report} */ ({ state })) && total > 0 && t("stepsOf", { done: formatNumber(done), total: formatNumber(total) }),
            isRunning && left !== null && left !== undefined && t("timeLeft", { time: formatDuration(left) }),
            typeof error === "string" ? error : error?.message].filter(Boolean).join(" · ");
}

/** Pause, go on, cancel or delete; the last two can be undone for a while.
 * @param {{ page: Page, report: Report, onRemoved?(): void }} props */
export function ReportButtons({ page, report, onRemoved }) {
    const { state, title } = report;
    const name = title || t(KINDS[report.kind]);
    const { pause, resume, remove } = reportActions(page, report, onRemoved);
    return html`
        ${(state === "running" || state === "waiting") && html`<${IconButton} icon="pause" label=${`${t("pause")}: ${name}`} onClick=${pause} />`}
        ${(state === "paused" || state === "failed") && html`<${IconButton} icon="play" onClick=${resume}
            label=${`${t(state === "paused" ? "resume" : "tryAgain")}: ${name}`} />`}
        ${isActive(report) ? html`<${IconButton} icon="close" label=${`${t("cancel")}: ${name}`} onClick=${remove} />`
            : html`<${IconButton} icon="trash" label=${`${t("deleteReport")}: ${name}`} onClick=${remove} />`}`;
}

/** @param {{ report: Report }} props */
export function ReportProgress({ report }) {
    const { total, done, title, kind } = report;
    return isActive(report) && html`<progress aria-label=${title || t(KINDS[kind])} max=${total || 1} value=${total ? done : undefined} />`;
}
