/* Drafts: what is written and not sent, by thread, with its attachments. Kept in this browser until the
 * program has acknowledged the message, so that neither a reload nor a failure loses a sentence. */

/** @typedef {import("./types.js").Attachment} Attachment */
/** @typedef {{ text: string, attachments: Attachment[] }} Draft */

const KEY = "den.drafts";
const DRAFTS_MAX = 20;
const SAVE_MS = 400;
/** @type {Draft} */
const EMPTY = { text: "", attachments: [] };

export class Drafts {
    constructor() {
        /** @type {Record<string, Draft>} */
        this.all = {};
        /** @type {ReturnType<typeof setTimeout> | undefined} */
        this.timer = undefined;
        try {
            this.all = JSON.parse(localStorage.getItem(KEY) ?? "{}");
        } catch {
            /* nothing kept */
        }
    }

    /** @param {string} id @returns {Draft} */
    get(id) {
        return this.all[id] ?? EMPTY;
    }

    /** @param {string} id @param {Partial<Draft>} changes */
    set(id, changes) {
        const draft = { ...this.get(id), ...changes };
        delete this.all[id];
        if (draft.text || draft.attachments.length) this.all[id] = draft; /* the newest come last */
        for (const old of Object.keys(this.all).slice(0, -DRAFTS_MAX)) delete this.all[old];
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.save(), SAVE_MS);
    }

    /** @param {string} id */
    clear(id) {
        this.set(id, EMPTY);
    }

    save() {
        try {
            localStorage.setItem(KEY, JSON.stringify(this.all));
        } catch {
            /* refused or full: the drafts hold until the page is closed */
        }
    }
}
