/* Threads: the list beside the conversation. The program sorts and searches; the page holds the pages
 * of the list that were scrolled to, and the threads of folders that were opened. */

import { call, createId } from "./api.js";

/** @typedef {import("./types.js").Summary} Summary */
/** @typedef {import("./types.js").Folder} Folder */

const PAGE = 50;

/** Pinned first, then newest. @param {Summary} a @param {Summary} b */
const byRank = (a, b) => Number(b.pinned) - Number(a.pinned) || b.updated - a.updated;

export class Threads {
    /** @param {import("./page.js").Page} page */
    constructor(page) {
        this.page = page;
        /** @type {Map<string, Summary>} */
        this.items = new Map();
        /** @type {Folder[]} */
        this.folders = [];
        /** @type {string | null | undefined} undefined: the end is reached */
        this.cursor = null;
        this.isLoading = false;
        this.isLoaded = false;
        /** @type {Set<string>} */
        this.openFolders = new Set(JSON.parse(localStorage.getItem("den.folders") ?? "[]"));
        /** @type {Summary | null} what was just deleted and may come back */
        this.deleted = null;
    }

    /** From the start, after a connection was made. */
    async reload() {
        const { inWorkspace } = this;
        const [list, folders] = await Promise.all([
            call("GET", `/api/threads?limit=${PAGE}${inWorkspace}`),
            call("GET", "/api/folders").catch(() => ({ folders: [] })),
        ]);
        if (inWorkspace !== this.inWorkspace) return; /* another was chosen meanwhile */
        this.items = new Map(list.threads.map((/** @type {Summary} */ one) => [one.id, one]));
        this.cursor = list.next ?? undefined;
        this.folders = folders.folders ?? folders;
        this.isLoaded = true;
        for (const id of this.openFolders) this.loadFolder(id);
        this.page.changed();
    }

    /** The part of a query that asks for those of the workspace. */
    get inWorkspace() {
        const { id } = this.page.workspaces;
        return id && `&workspace=${encodeURIComponent(id)}`;
    }

    async loadMore() {
        if (this.isLoading || !this.cursor) return;
        this.isLoading = true;
        const { inWorkspace } = this;
        const list = await this.page.attempt(() =>
            call("GET", `/api/threads?limit=${PAGE}${inWorkspace}&before=${encodeURIComponent(this.cursor ?? "")}`));
        this.isLoading = false;
        if (!list || inWorkspace !== this.inWorkspace) return;
        for (const one of list.threads) this.items.set(one.id, one);
        this.cursor = list.next ?? undefined;
        this.page.changed();
    }

    /** @param {string} id */
    async loadFolder(id) {
        const list = await this.page.attempt(() =>
            call("GET", `/api/threads?limit=200${this.inWorkspace}&folder=${encodeURIComponent(id)}`));
        for (const one of list?.threads ?? []) this.items.set(one.id, one);
        this.page.changed();
    }

    /** @param {string} id */
    toggleFolder(id) {
        if (!this.openFolders.delete(id)) {
            this.openFolders.add(id);
            this.loadFolder(id);
        }
        localStorage.setItem("den.folders", JSON.stringify([...this.openFolders]));
        this.page.changed();
    }

    /** @param {string | null} folder @returns {Summary[]} */
    inFolder(folder) {
        const known = new Set(this.folders.map(({ id }) => id));
        const workspace = this.page.workspaces.id;
        return [...this.items.values()]
            .filter((one) => (one.workspace ?? "") === workspace)
            .filter((one) => (one.folder && known.has(one.folder) ? one.folder : null) === folder)
            .sort(byRank);
    }

    /** @param {string} name @param {any} event */
    take(name, event) {
        if (name === "thread") this.put(event.thread);
        else if (name === "thread.deleted") this.items.delete(event.id);
        else if (name === "folders") this.folders = event.folders;
        this.page.changed();
    }

    /** @param {Summary} thread */
    put(thread) {
        this.items.set(thread.id, { ...this.items.get(thread.id), ...thread });
        const { open } = this.page;
        if (open.id === thread.id)
            for (const name of /** @type {const} */ (["title", "renamed", "folder", "pinned", "model", "workspace"]))
                /** @type {any} */ (open.data)[name] = thread[name] ?? open.data[name];
    }

    /** @param {string} id @param {Partial<Summary>} changes */
    async change(id, changes) {
        const changed = await this.page.attempt(() => call("PATCH", `/api/threads/${id}`, changes));
        if (changed) this.take("thread", { thread: changed });
    }

    /** @param {string} id */
    async remove(id) {
        const thread = this.items.get(id) ?? this.page.open.data;
        const done = await this.page.attempt(() => call("DELETE", `/api/threads/${id}`));
        if (done === undefined) return;
        this.deleted = thread;
        this.items.delete(id);
        if (this.page.open.id === id) this.page.newChat();
        this.page.changed();
    }

    async undoRemove() {
        const thread = this.deleted;
        this.forgetRemoved();
        if (!thread) return;
        const back = await this.page.attempt(() => call("POST", `/api/threads/${thread.id}/restore`, {}));
        if (!back) return;
        this.take("thread", { thread: back });
        this.page.show(thread.id);
    }

    forgetRemoved() {
        this.deleted = null;
        this.page.changed();
    }

    /** A thread of its own from the path to this message. @param {string} id @param {string} message */
    async fork(id, message) {
        const full = await this.page.attempt(() => call("POST", `/api/threads/${id}/fork`, { message }));
        if (full) this.page.show(full.id);
    }

    /* --- folders --- */

    /** @param {string} name @returns {Promise<string | undefined>} its id */
    async createFolder(name) {
        const folder = await this.page.attempt(() =>
            call("POST", "/api/folders", { id: createId(), name: name.trim() }));
        if (!folder) return undefined;
        if (!this.folders.some(({ id }) => id === folder.id)) this.folders = [...this.folders, folder];
        this.openFolders.add(folder.id);
        this.page.changed();
        return folder.id;
    }

    /** @param {string} id @param {string} name */
    async renameFolder(id, name) {
        if (!name.trim()) return;
        await this.page.attempt(() => call("PATCH", `/api/folders/${id}`, { name: name.trim() }));
        this.folders = this.folders.map((one) => (one.id === id ? { ...one, name: name.trim() } : one));
        this.page.changed();
    }

    /** Its threads move out. @param {string} id */
    async removeFolder(id) {
        const done = await this.page.attempt(() => call("DELETE", `/api/folders/${id}`));
        if (done === undefined) return;
        this.folders = this.folders.filter((one) => one.id !== id);
        for (const one of this.items.values()) if (one.folder === id) one.folder = null;
        this.page.changed();
    }
}
