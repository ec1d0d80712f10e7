/* Job bars: the reading and indexing that is under way: how far, how fast, how long still; pause, go on,
 * cancel, and what failed with its reason. The program's events keep it current. */

import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { formatDuration, formatNumber } from "../i18n.js";
import { t } from "../later_words.js";
import { call } from "../api.js";
import { onceAFrame } from "../redraw.js";
import { IconButton } from "../components/icons.js";
import { troubleWords } from "./document_row.js";
import { KINDS } from "./reports_list.js";

/** @typedef {import("../types.js").Job} Job */
/** @typedef {import("../page.js").Page} Page */

const SHOWN_MAX = 4;
const isActive = (/** @type {Job} */ { state }) => state === "waiting" || state === "running" || state === "paused";

/** @param {{ page: Page }} props */
export function JobBars({ page }) {
    const [, redraw] = useReducer((/** @type {number} */ turns) => turns + 1, 0);
    const jobs = useRef(/** @type {Map<string, Job>} */ (new Map())).current;
    useEffect(() => {
        const draw = onceAFrame(() => redraw(0));
        const load = async () => {
            const reply = await call("GET", "/api/jobs").catch(() => null);
            for (const job of reply?.jobs ?? []) jobs.set(job.id, job);
            draw();
        };
        const hear = (/** @type {string} */ name, /** @type {any} */ data) => {
            if (name === "hello") load();
            if (name !== "job" || !data.job) return;
            jobs.set(data.job.id, { ...jobs.get(data.job.id), ...data.job });
            draw();
        };
        page.hearers.add(hear);
        load();
        return () => void page.hearers.delete(hear);
    }, []);
    const { id } = page.workspaces;
    const shown = [...jobs.values()].filter((job) => !(job.kind in KINDS) && (!id || !job.workspace || job.workspace === id) &&
        (isActive(job) || (job.failed > 0 && job.state !== "cancelled") || job.state === "failed"))
        .sort((a, b) => Number(isActive(b)) - Number(isActive(a)) || b.created - a.created);
    if (!shown.length) return null;
    const forget = (/** @type {Job} */ job) => { jobs.delete(job.id); redraw(0); };
    return html`<section class="jobs" aria-label=${t("jobs")}>
        ${shown.slice(0, SHOWN_MAX).map((job) => html`<${JobBar} key=${job.id} page=${page} job=${job} onForget=${forget} />`)}
        ${shown.length > SHOWN_MAX && html`<p class="note">${t("moreJobs", { count: formatNumber(shown.length - SHOWN_MAX) })}</p>`}
    </section>`;
}

/** @param {Job} job */
function wordsOf({ state, total, done, failed, skipped, files_per_s, seconds_left, error }) {
    const isRunning = state === "running";
    return [state === "paused" ? t("statePaused") : state === "waiting" ? t("stateWaiting") : "",
            t("filesOf", { done: formatNumber(done + failed + skipped), total: formatNumber(total) }),
            isRunning && files_per_s > 0 && t("filesPerSecond", { rate: formatNumber(files_per_s, 1) }),
            isRunning && seconds_left !== null && seconds_left !== undefined && t("timeLeft", { time: formatDuration(seconds_left) }),
            skipped > 0 && t("skippedCount", { count: formatNumber(skipped) }),
            failed > 0 && t("failedCount", { count: formatNumber(failed) }),
            typeof error === "string" ? error : error?.message].filter(Boolean).join(" · ");
}

/** @param {{ page: Page, job: Job, onForget(job: Job): void }} props */
function JobBar({ page, job, onForget }) {
    const [tasks, setTasks] = useState(/** @type {any[] | null} */ (null));
    const { id, title, state, total, done, failed, skipped, bytes_total: bytes, bytes_done: bytesDone } = job;
    const named = title || t("jobReading");
    const name = job.kind === "add" && title && total > 1 ? t("jobAnd", { name: named, count: formatNumber(total - 1) }) : named;
    const set = (/** @type {string} */ wanted) => () =>
        page.attempt(() => call("PATCH", `/api/jobs/${id}`, { state: wanted })); /* an event tells what came of it */
    const retry = () => page.attempt(() => call("POST", `/api/jobs/${id}/retry`, {}));
    const end = () => page.attempt(async () => {
        if (isActive(job)) await call("DELETE", `/api/jobs/${id}`);
        onForget(job);
    });
    const toggle = () => (tasks ? setTasks(null) : page.attempt(async () =>
        setTasks((await call("GET", `/api/jobs/${id}`)).tasks ?? [])));
    const byBytes = bytes > 0 && total === 1;
    return html`<div class="job" role="group" aria-label=${name}>
        <div class="job-text"><strong>${name}</strong>
            <progress aria-label=${name} max=${(byBytes ? bytes : total) || 1} value=${byBytes ? bytesDone : done + failed + skipped} />
            <small>${wordsOf(job)}</small>
            ${tasks && html`<ul class="job-tasks">${tasks.filter((one) => one.error).map((one, index) => html`
                <li key=${index}>${one.name}: <span class="problem">${troubleWords(one.error)}</span></li>`)}</ul>`}</div>
        ${failed > 0 && html`<button type="button" class="button" aria-expanded=${!!tasks} onClick=${toggle}>${t("whatFailed")}</button>`}
        ${failed > 0 && !isActive(job) && html`<button type="button" class="button" onClick=${retry}>${t("tryAgain")}</button>`}
        ${(state === "running" || state === "waiting") && html`
            <${IconButton} icon="pause" label=${`${t("pause")}: ${name}`} onClick=${set("paused")} />`}
        ${state === "paused" && html`<${IconButton} icon="play" label=${`${t("resume")}: ${name}`} onClick=${set("running")} />`}
        <${IconButton} icon="close" label=${`${t(isActive(job) ? "cancel" : "forget")}: ${name}`} onClick=${end} /></div>`;
}
