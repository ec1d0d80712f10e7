/* Documents list: what a workspace holds, by pages of the program's list, and as it changes. A component
 * hook; the program filters and sorts. Events come many a second while a folder is read, so the list is
 * drawn at most once a frame. */

import { useEffect, useReducer, useRef } from "preact/hooks";
import { call } from "../api.js";
import { onceAFrame } from "../redraw.js";

/** @typedef {import("../types.js").Document} Document */

const PAGE = 100;

export class DocumentsList {
    /** @param {import("../page.js").Page} page @param {string} workspace "": all there are
     * @param {{ q: string, state: string }} filter @param {() => void} redraw */
    constructor(page, workspace, filter, redraw) {
        this.page = page;
        this.workspace = workspace;
        this.filter = filter;
        this.redraw = redraw;
        /** @type {Document[]} */
        this.all = [];
        /** @type {Map<string, number>} id to its place in `all` */
        this.places = new Map();
        /** @type {string | number | null} */
        this.next = null;
        this.isLoading = false;
        /** @type {Document[]} what was told of while a page of the list was fetched */
        this.waiting = [];
        this.isStale = false; /* events may have been missed since it was asked for */
        this.isLoaded = false;
        this.isClosed = false;
    }

    get path() {
        return this.workspace ? `/api/workspaces/${this.workspace}/documents` : "/api/documents";
    }

    /** @param {boolean} [isMore] */
    async load(isMore = false) {
        if (this.isLoading || (isMore && !this.next)) return;
        this.isLoading = true;
        const query = new URLSearchParams({ limit: String(PAGE) });
        for (const [name, value] of Object.entries(this.filter)) if (value) query.set(name, value);
        if (isMore) query.set("before", String(this.next));
        const reply = await this.page.attempt(() => call("GET", `${this.path}?${query}`));
        this.isLoading = false;
        if (!reply || this.isClosed) return;
        this.next = reply.next ?? null;
        this.isLoaded = true;
        const before = new Set(isMore ? this.places.keys() : []);
        const fresh = reply.documents.filter((/** @type {Document} */ one) => !before.has(one.id));
        this.set(isMore ? [...this.all, ...fresh] : fresh);
        for (const document of this.waiting.splice(0)) this.put(document);
        if (!this.isStale) return;
        this.isStale = false;
        await this.load();
    }

    /** @param {Document[]} documents */
    set(documents) {
        this.all = documents;
        this.places = new Map(documents.map(({ id }, index) => [id, index]));
        this.redraw();
    }

    /** @param {string} name @param {any} data */
    take(name, data) {
        if (name === "hello" && this.isLoading) this.isStale = true;
        else if (name === "hello") this.load();
        if (name !== "document" || !data.document) return;
        this.put(data.document);
        if (this.isLoading) this.waiting.push(data.document);
    }

    /** @param {Document} document */
    put(document) {
        const place = this.places.get(document.id);
        if (place !== undefined) {
            this.all[place] = { ...this.all[place], ...document };
            this.redraw();
        } else if (this.isLoaded && !this.filter.q && !this.filter.state &&
                   (!this.workspace || document.workspaces?.includes(this.workspace))) this.set([document, ...this.all]);
    }

    /** @param {Document} document */
    drop(document) {
        this.set(this.all.filter(({ id }) => id !== document.id));
    }

    /** @param {Document} document @param {boolean} pinned */
    async pin(document, pinned) {
        this.take("document", { document: { ...document, pinned } });
        const done = await this.page.attempt(() => call("PATCH", `${this.path}/${document.id}`, { pinned }).then(() => true));
        if (!done) this.take("document", { document });
    }

    /** Takes it out of the workspace; without one, away for good. @param {Document} document */
    async remove(document) {
        const done = await this.page.attempt(() => call("DELETE", `${this.path}/${document.id}`).then(() => true));
        if (done) this.drop(document);
    }

    /** Reads it again, or tries it again where it failed. Events tell of it, and may overtake the reply.
     * @param {Document} document */
    retry(document) {
        return this.page.attempt(() => call("POST", `/api/documents/${document.id}/read`, {}));
    }
}

/** @param {import("../page.js").Page} page @param {string} workspace @param {{ q: string, state: string }} filter
 * @returns {DocumentsList} */
export function useDocuments(page, workspace, filter) {
    const [, redraw] = useReducer((/** @type {number} */ turns) => turns + 1, 0);
    const list = useRef(/** @type {DocumentsList | null} */ (null));
    const key = `${workspace} ${filter.q} ${filter.state}`;
    const before = useRef("");
    if (!list.current || before.current !== key) {
        if (list.current) list.current.isClosed = true;
        list.current = new DocumentsList(page, workspace, filter, onceAFrame(() => redraw(0)));
        before.current = key;
    }
    const now = list.current;
    useEffect(() => {
        const hear = (/** @type {string} */ name, /** @type {any} */ data) => now.take(name, data);
        page.hearers.add(hear);
        now.load();
        return () => {
            now.isClosed = true;
            page.hearers.delete(hear);
        };
    }, [key]);
    return now;
}
