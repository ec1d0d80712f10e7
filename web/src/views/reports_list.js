/* Reports list: what has been written about a workspace's documents, newest first, by pages of the
 * program's list and as it changes; and one report with all it has so far. Component hooks. */

import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import { call } from "../api.js";
import { t } from "../later_words.js";
import { onceAFrame } from "../redraw.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../types.js").Report} Report */

const PAGE = 30;

/** @type {Record<import("../types.js").ReportKind, import("../i18n.js").StringKey>} */
export const KINDS = { summary: "reportSummary", comparison: "reportComparison", table: "reportTable" };

/** @param {Report} report */
export const isActive = ({ state }) => state === "waiting" || state === "running" || state === "paused";

export class ReportsList {
    /** @param {Page} page @param {string} workspace "": of all @param {() => void} redraw */
    constructor(page, workspace, redraw) {
        this.page = page;
        this.workspace = workspace;
        this.redraw = redraw;
        /** @type {Map<string, Report>} */
        this.known = new Map();
        /** @type {Set<string>} what was deleted while a page of the list was fetched */
        this.gone = new Set();
        /** @type {Map<string, Report>} what was told of meanwhile */
        this.news = new Map();
        /** @type {string | number | null} */
        this.next = null;
        this.isLoading = false;
        this.isStale = false;
        this.isLoaded = false;
        this.isOffered = true;
    }

    /** @returns {Report[]} */
    get all() {
        return [...this.known.values()].sort((a, b) => b.created - a.created);
    }

    /** @param {boolean} [isMore] */
    async load(isMore = false) {
        if (this.isLoading) return void (this.isStale ||= !isMore);
        this.isLoading = true;
        const query = new URLSearchParams({ limit: String(PAGE), ...(this.workspace && { workspace: this.workspace }) });
        if (isMore) query.set("before", String(this.next));
        try {
            const reply = await call("GET", `/api/reports?${query}`);
            if (!isMore) this.known.clear();
            for (const one of reply.reports) if (!this.gone.has(one.id)) this.known.set(one.id, one);
            for (const one of this.news.values()) if (!this.gone.has(one.id)) this.put(one);
            this.next = reply.next ?? null;
            this.isLoaded = true;
        } catch (error) {
            if (/** @type {any} */ (error).status === 404) this.isOffered = false;
            else this.page.note(error);
        }
        this.isLoading = false;
        this.news.clear();
        this.gone.clear();
        this.redraw();
        if (!this.isStale) return;
        this.isStale = false;
        await this.load();
    }

    /** @param {string} name @param {any} data */
    take(name, data) {
        if (name === "hello") this.load();
        else if (name === "report" && data.report) {
            if (this.isLoading) this.news.set(data.report.id, data.report);
            this.put(data.report);
        } else if (name === "report_deleted") {
            if (this.isLoading) this.gone.add(data.id);
            this.known.delete(data.id);
            this.redraw();
        }
    }

    /** @param {Report} report */
    put(report) {
        if (this.workspace && report.workspace !== this.workspace) return;
        this.known.set(report.id, { ...this.known.get(report.id), ...report });
        this.redraw();
    }
}

/** @param {Page} page @param {string} workspace @returns {ReportsList} */
export function useReports(page, workspace) {
    const [, redraw] = useReducer((/** @type {number} */ turns) => turns + 1, 0);
    const list = useRef(/** @type {ReportsList | null} */ (null));
    if (list.current?.workspace !== workspace) list.current = new ReportsList(page, workspace, onceAFrame(() => redraw(0)));
    const now = list.current;
    useEffect(() => hearing(page, (name, data) => now.take(name, data), () => now.load()), [workspace]);
    return now;
}

/** Hears events until it is called; begins by fetching.
 * @param {Page} page @param {(name: string, data: any) => void} hear @param {() => void} load */
export function hearing(page, hear, load) {
    page.hearers.add(hear);
    load();
    return () => void page.hearers.delete(hear);
}

/** One report; an event says that there is more of it, which is then fetched, one fetch at a time.
 * @param {Page} page @param {string} id
 * @returns {{ report: Report | null, problem: string }} */
export function useReport(page, id) {
    const [known, setKnown] = useState(/** @type {Report | null} */ (null));
    const [problem, setProblem] = useState("");
    useEffect(() => {
        let [isWanted, isLoading, isStale] = [true, false, false];
        setProblem("");
        const load = async () => {
            isStale = isLoading;
            if (isLoading) return;
            isLoading = true;
            do {
                isStale = false;
                try {
                    const reply = await call("GET", `/api/reports/${encodeURIComponent(id)}`);
                    if (isWanted) setKnown(reply.report ?? reply);
                } catch (error) {
                    page.note(error);
                    if (isWanted) setProblem(/** @type {any} */ (error).status === 404 ? t("reportGone") : /** @type {Error} */ (error).message);
                }
            } while (isStale && isWanted);
            isLoading = false;
        };
        const stop = hearing(page, (name, data) => {
            if (name === "hello" || (name === "report" && data.report?.id === id)) load();
            else if (name === "report_deleted" && data.id === id) setProblem(t("reportGone"));
        }, load);
        return () => {
            isWanted = false;
            stop();
        };
    }, [id]);
    return { report: known?.id === id ? known : null, problem };
}

/** What the reader does with a report, shown in a row or at its head. Events tell what comes of it: a reply
 * can be overtaken by them, and is not taken over.
 * @param {Page} page @param {Report} report @param {() => void} [onRemoved] */
export function reportActions(page, { id, kind, title, state }, onRemoved) {
    const path = `/api/reports/${encodeURIComponent(id)}`;
    const change = (/** @type {object} */ fields) => page.attempt(() => call("PATCH", path, fields));
    const isWorking = state === "running" || state === "waiting";
    return {
        pause: () => change({ state: "paused" }),
        resume: () => change({ state: "running" }),
        rename: (/** @type {string} */ title) => change({ title }),
        /* One that is being written waits meanwhile, and goes on if it comes back. */
        remove: () => {
            const paused = isWorking && change({ state: "paused" });
            page.parting.begin({
                id, title: title || t(KINDS[kind]),
                act: async () => {
                    await call("DELETE", path);
                    page.take("report_deleted", { id });
                },
                undo: async () => {
                    if (await paused) change({ state: "running" });
                },
            });
            onRemoved?.();
        },
    };
}
