/* Thread state: the conversation that is open, as the program has it and as it changes. What the reader
 * does with it is in thread.js.
 *
 * While an answer streams, only its own message is drawn again (listeners by message id); the page as a
 * whole is drawn when the shape of the thread changes. */

import { call, toFailure } from "./api.js";
import { onceAFrame } from "./redraw.js";
import * as tree from "./tree.js";

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Thread} ThreadData */

/** What is known of an answer while it is written.
 * @typedef {{ progress: import("./types.js").Progress | null, pieces: number, firstAt: number,
 *   startedAt: number, retrieval: "" | "searching" | "done" }} Writing */

export class ThreadState {
    /**
     * @param {import("./page.js").Page} page
     * @param {string} id
     * @param {Partial<ThreadData>} [fields] of a thread that is not in the program yet
     */
    constructor(page, id, fields) {
        this.page = page;
        this.isNew = fields !== undefined;
        /** @type {"loading" | "ready" | "missing" | "failed"} */
        this.state = this.isNew ? "ready" : "loading";
        /** @type {import("./types.js").Failure | null} */
        this.failure = null;
        /** @type {ThreadData} */
        this.data = {
            id, title: "", renamed: false, folder: null, pinned: false, created: Date.now(),
            updated: Date.now(), model: "", running: false, preview: "", system: "", parameters: {},
            head: null, ...fields,
        };
        /** @type {tree.Messages} */
        this.messages = new Map();
        /** @type {string | null} */
        this.head = null;
        /** @type {Map<string, string[]>} */
        this.children = new Map();
        /** @type {Message[]} the messages shown, first to last */
        this.path = [];
        /** @type {Map<string, string>} */
        this.chosen = new Map();
        /** @type {Map<string, Writing>} */
        this.writing = new Map();
        /** @type {[string, any][] | null} events that wait for a fetch */
        this.waiting = null;
        /** @type {Map<string, Set<() => void>>} */
        this.listeners = new Map();
        /** @type {Set<string>} */
        this.touched = new Set();
        this.drawTouched = onceAFrame(() => {
            const ids = [...this.touched];
            this.touched.clear();
            for (const id of ids) for (const draw of this.listeners.get(id) ?? []) draw();
        });
        this.reshape();
    }

    get id() {
        return this.data.id;
    }

    /* --- reading --- */

    reshape() {
        this.children = tree.childrenOf(this.messages);
        if (this.head === null || !this.messages.has(this.head))
            this.head = tree.leafBelow(this.children, "", this.chosen);
        this.path = tree.pathTo(this.messages, this.head);
        for (const message of this.path) this.chosen.set(message.parent ?? "", message.id);
        this.page.changed();
    }

    /** @param {Message} message */
    siblingsOf(message) {
        return tree.siblingsOf(this.children, message);
    }

    /** @param {Message} message */
    isWriting(message) {
        return message.role === "assistant" && message.finish === null && !message.failure;
    }

    get running() {
        return this.path.find((message) => this.isWriting(message)) ?? null;
    }

    get lastAnswer() {
        return this.path.filter(({ role, content }) => role === "assistant" && content).at(-1) ?? null;
    }

    /** Redraws `draw` when the message `id` grows. @param {string} id @param {() => void} draw */
    listen(id, draw) {
        const set = this.listeners.get(id) ?? new Set();
        this.listeners.set(id, set.add(draw));
        return () => void set.delete(draw);
    }

    /** @param {string} id */
    touch(id) {
        this.touched.add(id);
        this.drawTouched();
    }

    /* --- from the program --- */

    async load() {
        this.waiting = [];
        try {
            const { messages, ...data } = await call("GET", `/api/threads/${this.id}`);
            const sending = (this.data.documents ?? []).filter(({ state }) => state === "sending");
            this.data = { ...data, documents: [...(data.documents ?? []), ...sending] };
            this.page.threadLoaded(this.id);
            const unsent = [...this.messages.values()].filter((message) => message.isUnsent);
            this.messages = new Map(messages.map((/** @type {Message} */ one) => [one.id, one]));
            for (const message of unsent)
                if (!this.messages.has(message.id)) this.messages.set(message.id, message);
            if (this.state !== "ready") this.head = data.head;
            this.head = tree.leafBelow(tree.childrenOf(this.messages), this.head ?? "", this.chosen);
            this.state = "ready";
            this.failure = null;
        } catch (error) {
            this.failure = toFailure(error);
            if (/** @type {any} */ (error).status === 404 && !this.isNew) this.state = "missing";
            else if (this.state === "loading") this.state = "failed";
            this.page.note(error);
        }
        const waiting = this.waiting;
        this.waiting = null;
        for (const [name, event] of waiting) this.take(name, event);
        for (const id of this.messages.keys()) this.touch(id);
        this.reshape();
    }

    /** @param {string} name @param {any} event */
    take(name, event) {
        if (this.waiting) return void this.waiting.push([name, event]);
        if (name === "message" || name === "end") return this.put(event.message, name === "end");
        if (name === "message.deleted") return this.drop(event.ids);
        const message = this.messages.get(event.message);
        if (!message) return;
        const writing = this.writingOf(message.id);
        if (name === "retrieval") {
            writing.retrieval = event.state;
            message.sources = event.sources ?? message.sources;
        } else if (name === "progress") writing.progress = { done: event.done, total: event.total };
        else if (event.seq <= message.seq) return;
        else {
            const field = name === "reasoning" ? "reasoning" : "content";
            message[field] = (message[field] ?? "") + event.text;
            message.seq = event.seq;
            writing.firstAt ||= performance.now();
            writing.pieces++;
        }
        this.touch(message.id);
    }

    /** @param {string} id @returns {Writing} */
    writingOf(id) {
        let writing = this.writing.get(id);
        if (!writing) {
            writing = { progress: null, pieces: 0, firstAt: 0, startedAt: performance.now(), retrieval: "" };
            this.writing.set(id, writing);
        }
        return writing;
    }

    /** Takes over a message as the program has it. The reader's view follows what continues the shown
     * path and what is being written beside it, here or in another tab.
     * @param {Message} message @param {boolean} [isEnd] */
    put(message, isEnd = false) {
        const before = this.messages.get(message.id);
        if (before && !isEnd && message.finish === null && before.seq > message.seq && !before.isUnsent)
            message = { ...message, content: before.content, reasoning: before.reasoning, seq: before.seq };
        this.messages.set(message.id, message);
        if (message.finish !== null) this.writing.delete(message.id);
        const continues = message.parent === this.head;
        const branches = !before && this.isWriting(message) && message.parent !== null &&
            this.path.some(({ id }) => id === message.parent);
        if (continues || branches) this.head = message.id;
        if (isEnd && this.path.includes(/** @type {Message} */ (before)))
            this.page.say(message.error ? "failed" : "answered", message.content);
        this.touch(message.id);
        this.reshape();
    }

    /** A document became readable, or not. @param {import("./types.js").Document} document */
    takeDocument({ id, name, state }) {
        const { documents } = this.data;
        if (!documents?.some((one) => one.id === id)) return;
        this.data.documents = documents.map((one) => (one.id === id ? { id, name, state } : one));
        this.page.changed();
    }

    /** @param {string[]} ids */
    drop(ids) {
        const parent = this.messages.get(ids[0])?.parent ?? null;
        for (const id of ids) this.messages.delete(id);
        if (this.head !== null && !this.messages.has(this.head))
            this.head = tree.leafBelow(tree.childrenOf(this.messages), parent ?? "", this.chosen);
        this.reshape();
    }
}
