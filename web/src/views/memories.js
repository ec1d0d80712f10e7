/* Memories: what Den was told to remember of the reader, and what it proposes to: the program keeps them,
 * the page has all of them, and hears what changes. Fetched when something first asks for them. */

import { useEffect } from "preact/hooks";
import { call } from "../api.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../types.js").Memory} Memory */

export class Memories {
    /** @param {Page} page */
    constructor(page) {
        this.page = page;
        /** @type {Map<string, Memory>} */
        this.known = new Map();
        /** @type {[string, any][] | null} events that wait for a fetch */
        this.waiting = null;
        this.isStale = false;
        this.isLoaded = false;
        this.isOffered = true;
        page.hearers.add((name, data) => {
            if (name === "hello") this.load();
            else if (name === "memory" || name === "memory_deleted") this.take(name, data);
        });
    }

    /** @param {Memory["state"]} state @returns {Memory[]} newest first */
    of(state) {
        return [...this.known.values()].filter((one) => one.state === state).sort((a, b) => b.created - a.created);
    }

    async load() {
        if (this.waiting) return void (this.isStale = true);
        do {
            this.isStale = false;
            this.waiting = [];
            try {
                const reply = await call("GET", "/api/memories");
                this.known = new Map(reply.memories.map((/** @type {Memory} */ one) => [one.id, one]));
                this.isLoaded = true;
            } catch (error) {
                if (/** @type {any} */ (error).status === 404) this.isOffered = false;
                else this.page.note(error);
            }
            const { waiting } = this;
            this.waiting = null;
            for (const [name, data] of waiting) this.take(name, data);
        } while (this.isStale);
        this.page.changed();
    }

    /** @param {string} name @param {any} data */
    take(name, data) {
        this.waiting?.push([name, data]);
        if (name === "memory" && data.memory) this.known.set(data.memory.id, data.memory);
        else if (name === "memory_deleted" && data.id) this.known.delete(data.id);
        else if (name === "memory_deleted") this.known.clear();
        if (name === "memory_deleted") this.forget(data.id);
        this.page.changed();
    }

    /** The program takes it out of the answers that were told it, too. @param {string | null | undefined} gone */
    forget(gone) {
        for (const message of this.page.open.messages.values())
            if (message.memories) message.memories = gone ? message.memories.filter(({ id }) => id !== gone) : null;
    }

    /** @param {string} text @param {string} [workspace] */
    add(text, workspace) {
        return this.put("POST", "/api/memories", { text, ...(workspace && { workspace }) });
    }

    /** @param {string} id @param {{ text?: string, state?: "kept" }} changes */
    change(id, changes) {
        return this.put("PATCH", `/api/memories/${id}`, changes);
    }

    /** @param {string} method @param {string} path @param {object} body */
    put(method, path, body) {
        return this.page.attempt(async () => {
            const reply = await call(method, path, body);
            const memory = reply?.memory ?? reply;
            if (memory?.id) this.take("memory", { memory });
            return true;
        });
    }

    /** @param {string} id */
    remove(id) {
        return this.page.attempt(async () => {
            await call("DELETE", `/api/memories/${id}`);
            this.take("memory_deleted", { id });
            return true;
        });
    }

    removeAll() {
        return this.page.attempt(async () => {
            await call("DELETE", "/api/memories");
            this.take("memory_deleted", {});
        });
    }
}

/** @type {WeakMap<Page, Memories>} */
const known = new WeakMap();

/** @param {Page} page @returns {Memories} */
export function memoriesOf(page) {
    const memories = known.get(page) ?? new Memories(page);
    known.set(page, memories);
    return memories;
}

/** All of them, fetched if they were not yet. @param {Page} page @returns {Memories} */
export function useMemories(page) {
    const memories = memoriesOf(page);
    useEffect(() => {
        if (!memories.isLoaded) memories.load();
    }, []);
    return memories;
}
