/* Activity view: what runs, how fast, what it takes and what waits. Asks once a second while it is
 * looked at, never in a hidden tab. */

import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { call } from "../api.js";
import { formatBytes, formatDuration, formatNumber } from "../i18n.js";
import { t } from "../later_words.js";

/** @typedef {import("../page.js").Page} Page */

const ASK_MS = 1000;

/** @param {{ page: Page }} props */
export function ActivityView({ page }) {
    const [activity, setActivity] = useState(/** @type {any} */ (null));
    const [isMissing, setMissing] = useState(false);
    useEffect(() => {
        let isOpen = true;
        const ask = async () => {
            while (isOpen) {
                if (!document.hidden)
                    try {
                        const reply = await call("GET", "/api/activity");
                        if (isOpen) setActivity(reply);
                    } catch (error) {
                        if (/** @type {any} */ (error).status === 404) return setMissing(true);
                        page.note(error);
                    }
                await new Promise((resolve) => setTimeout(resolve, ASK_MS));
            }
        };
        ask();
        return () => void (isOpen = false);
    }, []);
    if (isMissing) return html`<div class="scroller"><div class="view"><p class="nothing">${t("notOffered")}</p></div></div>`;
    const { requests = [], workers = [], totals = {} } = activity ?? {};
    return html`<div class="scroller"><div class="view wide" aria-busy=${!activity}>
        <dl class="totals">
            <${Total} label=${t("totalRequests")} value=${totals.requests} />
            <${Total} label=${t("totalPrompt")} value=${totals.prompt_tokens} />
            <${Total} label=${t("totalCached")} value=${totals.cached_tokens} />
            <${Total} label=${t("totalGenerated")} value=${totals.generated_tokens} />
        </dl>
        <section><h2>${t("requests")}</h2>
            ${requests.length ? html`<${Requests} requests=${requests} />`
                : html`<p class="nothing">${t(activity ? "nothingRuns" : "loading")}</p>`}</section>
        <section><h2>${t("workers")}</h2>
            ${workers.length ? html`<${Workers} workers=${workers} />`
                : html`<p class="nothing">${t(activity ? "noWorkers" : "loading")}</p>`}</section>
    </div></div>`;
}

/** @param {{ label: string, value: number | undefined }} props */
function Total({ label, value }) {
    return html`<div><dt>${label}</dt><dd>${value === undefined ? "–" : formatNumber(value)}</dd></div>`;
}

/** @type {Record<string, import("../i18n.js").StringKey>} */
const STATES = { waiting: "stateWaiting", reading: "stateReading", writing: "stateWriting",
                 ready: "stateReady", loading: "stateLoading", asleep: "stateAsleep", failed: "stateFailed" };

/** @param {string} state */
const stateWords = (state) => (STATES[state] ? t(STATES[state]) : state);

/** @param {{ head: string[], label: string, children?: any }} props */
function Table({ head, label, children }) {
    return html`<div class="table" tabindex="0" role="group" aria-label=${label}><table>
        <thead><tr>${head.map((one, index) => html`<th scope="col" class=${index > 2 ? "number" : ""}>${one}</th>`)}</tr></thead>
        <tbody>${children}</tbody></table></div>`;
}

/** @param {{ requests: any[] }} props */
function Requests({ requests }) {
    return html`<${Table} label=${t("requests")} head=${[t("from"), t("model"), t("state"), t("since"), t("prompt"),
                                                          t("written"), t("tokensPerSecond")]}>
        ${requests.map((one) => html`<tr key=${one.id}><td>${one.surface}</td><td>${one.model}</td>
            <td><span class="badge state-${one.state}">${stateWords(one.state)}</span></td>
            <td class="number">${formatDuration((Date.now() - one.since) / 1000)}</td>
            <td class="number">${formatNumber(one.prompt_done)} / ${formatNumber(one.prompt_tokens)}</td>
            <td class="number">${formatNumber(one.generated_tokens)}</td>
            <td class="number">${one.tokens_per_s ? formatNumber(one.tokens_per_s, 1) : "–"}</td></tr>`)}<//>`;
}

/** @param {{ workers: any[] }} props */
function Workers({ workers }) {
    return html`<${Table} label=${t("workers")} head=${[t("model"), t("state"), t("sandbox"), t("memory"), t("running"),
                                                         t("waiting"), t("restarts"), t("tokensPerSecond")]}>
        ${workers.map((one) => html`<tr key=${one.model}><td>${one.model}</td>
            <td><span class="badge state-${one.state}">${stateWords(one.state)}</span></td><td>${one.sandbox}</td>
            <td class="number">${formatBytes(one.resident_bytes ?? 0)}</td>
            <td class="number">${formatNumber(one.running ?? 0)}</td><td class="number">${formatNumber(one.waiting ?? 0)}</td>
            <td class="number">${formatNumber(one.restarts ?? 0)}</td>
            <td class="number">${one.tokens_per_s ? formatNumber(one.tokens_per_s, 1) : "–"}</td></tr>`)}<//>`;
}
