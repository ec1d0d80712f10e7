/* Workspaces: the one that is looked at, and the list of all. A workspace holds documents and chats; with
 * none chosen the page is plain chat. Which one it is stands in the address (`#/in/ID/...`), but for the
 * views that belong to none; a chat brings its own along. */

import { isOutside } from "./address.js";
import { call, createId } from "./api.js";

/** @typedef {import("./types.js").Workspace} Workspace */

export class Workspaces {
    /** @param {import("./page.js").Page} page */
    constructor(page) {
        this.page = page;
        /** @type {Workspace[]} */
        this.all = [];
        this.isOffered = true; /* false: the program knows no workspaces */
        this.isLoaded = false;
        this.id = ""; /* the one chosen; "": none */
    }

    /** @returns {Workspace | undefined} */
    get current() {
        return this.all.find(({ id }) => id === this.id);
    }

    async load() {
        try {
            const reply = await call("GET", "/api/workspaces");
            this.all = reply.workspaces ?? [];
            this.isOffered = true;
            this.isLoaded = true;
            if (this.id && !this.current) this.leave();
        } catch (error) {
            if (/** @type {any} */ (error).status === 404) this.isOffered = false;
            else this.page.note(error);
        }
        this.page.freshen();
        this.page.changed();
    }

    /** The chosen one is gone; its chats stay. */
    leave() {
        const { view, open, threads } = this.page;
        for (const one of threads.items.values()) if (one.workspace === this.id) one.workspace = null;
        this.set("");
        if (view === "chat" && !open.isNew) this.page.show(open.id);
        else if (!isOutside(view)) this.page.newChat();
    }

    /** @param {string} id */
    set(id) {
        if (id === this.id) return;
        this.id = id;
        this.page.attempt(() => this.page.threads.reload());
        this.page.changed();
    }

    /** The reader's choice: its chats are listed, and a new one begins in it. @param {string} id */
    choose(id) {
        const { page } = this;
        this.set(id);
        if (["documents", "search", "reports"].includes(page.view) || (page.view === "workspace" && id)) page.go(page.view);
        else page.newChat();
    }

    /** @param {string} name @returns {Promise<Workspace | undefined>} */
    async create(name) {
        const made = await this.page.attempt(() =>
            call("POST", "/api/workspaces", { id: createId(), name: name.trim() }));
        if (!made) return undefined;
        this.put(made);
        return made;
    }

    /** @param {Workspace} workspace */
    put(workspace) {
        const others = this.all.filter(({ id }) => id !== workspace.id);
        this.all = [...others, workspace].sort((a, b) => a.name.localeCompare(b.name));
        this.page.freshen();
        this.page.changed();
    }

    /** @param {string} id @param {Partial<Workspace>} changes */
    async change(id, changes) {
        const changed = await this.page.attempt(() => call("PATCH", `/api/workspaces/${id}`, changes));
        if (changed) this.put(changed);
        return changed;
    }

    /** @param {Partial<import("./types.js").Retrieval>} changes */
    setRetrieval(changes) {
        const { current } = this;
        if (!current) return undefined;
        const retrieval = { ...current.retrieval, ...changes };
        this.put({ ...current, retrieval }); /* at once */
        return this.change(current.id, { retrieval });
    }

    /** @param {string} id */
    async remove(id) {
        const done = await this.page.attempt(() => call("DELETE", `/api/workspaces/${id}`));
        if (done !== undefined) this.forget(id);
    }

    /** @param {string} id */
    forget(id) {
        this.all = this.all.filter((one) => one.id !== id);
        if (this.id === id) this.leave();
        this.page.changed();
    }

    /** @param {string} name @param {any} event */
    async take(name, event) {
        if (name === "workspace_deleted") return this.forget(event.id);
        const found = await call("GET", `/api/workspaces/${event.id}`).catch(() => null);
        if (found) this.put(found);
    }
}
