/* Models: what can answer. The manager's list where the program has one, else the plain list that any
 * OpenAI client reads, so that the picker works either way. */

import { call } from "./api.js";

/** @typedef {import("./types.js").Model} Model */

export class Models {
    /** @param {import("./page.js").Page} page */
    constructor(page) {
        this.page = page;
        /** @type {Model[]} */
        this.all = [];
        /** @type {{ total_bytes: number, free_bytes: number, budget_bytes: number } | null} */
        this.memory = null;
        this.isManaged = false;
        this.isLoaded = false;
    }

    async load() {
        try {
            await this.loadManaged();
        } catch (error) {
            if (/** @type {any} */ (error).status === 404) await this.loadPlain();
            else this.page.note(error);
        }
        this.isLoaded = true;
        this.page.changed();
    }

    async loadManaged() {
        const reply = await call("GET", "/api/models");
        this.all = reply.models ?? [];
        this.memory = reply.memory ?? null;
        this.isManaged = true;
    }

    async loadPlain() {
        const reply = await this.page.attempt(() => call("GET", "/v1/models"));
        this.isManaged = false;
        this.all = (reply?.data ?? []).map((/** @type {any} */ one) => ({
            name: one.id, title: one.id, role: one.den?.role ?? "chat", license: one.den?.license ?? "", parameters: 0,
            bytes: 0, modalities: ["text"], installed: true, default: false, state: "ready",
            context_tokens: one.den?.context_tokens ?? 0, fit: null, memory_bytes: 0,
            source: one.den?.description ?? "",
        }));
    }

    /** Those that can be talked to. */
    get chat() {
        return this.all.filter((one) => one.role === "chat" && one.installed);
    }

    /** @param {string} name "" for the default @returns {Model | undefined} */
    find(name) {
        const chat = this.chat;
        return chat.find((one) => one.name === name) ?? chat.find((one) => one.default) ?? chat[0];
    }
}
