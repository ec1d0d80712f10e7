/* Downloads: what is being fetched, how far it is and how long it takes, with pause and cancel. */

import { html } from "../html.js";
import { call } from "../api.js";
import { formatBytes, formatDuration } from "../i18n.js";
import { t } from "../later_words.js";
import { IconButton } from "../components/icons.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../types.js").Download} Download */

/** @param {{ page: Page }} props */
export function Downloads({ page }) {
    const downloads = /** @type {Download[]} */ (page.downloads);
    if (!downloads.length) return null;
    return html`<section aria-label=${t("downloads")}><h2>${t("downloads")}</h2>
        <ul class="cards">${downloads.map((one) => html`<${Row} key=${one.id} page=${page} download=${one} />`)}</ul>
    </section>`;
}

/** @type {Record<string, import("../i18n.js").StringKey>} */
const STATES = { waiting: "stateWaiting", paused: "statePaused", done: "stateDone", failed: "stateFailed",
                 cancelled: "stateCancelled" };

/** @param {Download} download */
function wordsOf({ state, bytes_done, bytes_total, bytes_per_s, seconds_left, error }) {
    const parts = [state in STATES ? t(STATES[state]) : ""];
    if (bytes_total) parts.push(t("bytesOf", { done: formatBytes(bytes_done), total: formatBytes(bytes_total) }));
    if (state === "running" && bytes_per_s) parts.push(t("perSecond", { bytes: formatBytes(bytes_per_s) }));
    if (state === "running" && seconds_left !== null) parts.push(t("timeLeft", { time: formatDuration(seconds_left) }));
    if (error) parts.push(error);
    return parts.filter(Boolean).join(" · ");
}

/** @param {{ page: Page, download: Download }} props */
function Row({ page, download }) {
    const { id, name, source, state, bytes_done, bytes_total } = download;
    const set = (/** @type {string} */ wanted) => () => page.attempt(async () => {
        const changed = await call("PATCH", `/api/downloads/${id}`, { state: wanted });
        page.downloads = page.downloads.map((one) => (one.id === id ? changed ?? one : one));
        page.changed();
    });
    const forget = () => page.attempt(async () => {
        await call("DELETE", `/api/downloads/${id}`);
        page.downloads = page.downloads.filter((one) => one.id !== id);
        page.changed();
    });
    const isActive = state === "running" || state === "waiting";
    return html`<li class="card">
        <div class="card-text">
            <h3>${name || source}</h3>
            ${(isActive || state === "paused") && html`<progress aria-label=${`${t("download")}: ${name}`}
                max=${bytes_total || 1} value=${bytes_total ? bytes_done : undefined} />`}
            <p class="facts ${state === "failed" ? "problem" : ""}">${wordsOf(download)}</p>
        </div>
        <div class="card-actions">
            ${isActive && html`<${IconButton} icon="pause" label=${`${t("pause")}: ${name}`} onClick=${set("paused")} />`}
            ${(state === "paused" || state === "failed") && html`
                <${IconButton} icon="play" label=${`${t("resume")}: ${name}`} onClick=${set("running")} />`}
            <${IconButton} icon="close" onClick=${forget}
                label=${`${t(isActive || state === "paused" ? "cancel" : "forget")}: ${name}`} />
        </div></li>`;
}
