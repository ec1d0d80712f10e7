/* Page: the state of this tab, and everything that changes it; no elements here. Components read the
 * fields and call the methods; each change ends in changed(), which redraws at most once a frame.
 *
 *   page.threads  the list                    page.models   what can answer
 *   page.open     the conversation shown      page.prompts  templates
 *   page.live     the stream of events        page.drafts   what is not sent yet
 *
 * What is shown is in the address (`#/chat/ID`, `#/models` ...), so that the browser's own back and
 * forward, bookmarks and reloads work. */

import { ApiError, call, createId, isAlive, login } from "./api.js";
import { Drafts } from "./drafts.js";
import { Live } from "./live.js";
import { Models } from "./models.js";
import { onceAFrame } from "./redraw.js";
import { DEFAULTS, saveSettings } from "./settings.js";
import { OpenThread } from "./thread.js";
import { Threads } from "./threads.js";

/** @typedef {"chat" | "models" | "settings" | "server" | "activity"} ViewName */
/** @type {readonly string[]} */
const VIEWS = ["models", "settings", "server", "activity"];

/** What the address asks for.
 * @param {string} hash
 * @returns {{ view: ViewName, id: string, message: string }} */
export function readAddress(hash) {
    const [view, id = "", message = ""] = hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
    if (VIEWS.includes(view)) return { view: /** @type {ViewName} */ (view), id, message: "" };
    if (view === "chat") return { view: "chat", id, message };
    return { view: "chat", id: "", message: "" };
}

export class Page {
    /**
     * @param {import("./settings.js").Settings} settings
     * @param {(settings: import("./settings.js").Settings) => void} onSettings
     */
    constructor(settings, onSettings) {
        this.settings = settings;
        this.onSettings = onSettings;
        this.onChange = () => {};
        this.changed = onceAFrame(() => this.onChange());
        /** @type {ViewName} */
        this.view = "chat";
        this.detail = ""; /* what the view was opened at */
        this.target = ""; /* the message to scroll to */
        /** @type {boolean | null} null: not known yet */
        this.isOnline = null;
        this.needsToken = false;
        /** @type {{ what: "" | "answering" | "answered" | "failed", text: string }} */
        this.announcement = { what: "", text: "" };
        /** @type {{ name: string, data?: any } | null} the dialog that is open */
        this.dialog = null;
        this.hasPanel = false;
        this.notice = ""; /* a failure of something small, shown for a while */
        this.drafts = new Drafts();
        this.threads = new Threads(this);
        this.models = new Models(this);
        /** @type {import("./types.js").Prompt[]} */
        this.prompts = [];
        /** @type {any[]} */
        this.downloads = [];
        this.open = this.blank();
        this.live = new Live({
            onEvent: (name, data) => this.take(name, data),
            onState: (isOnline) => this.setOnline(isOnline),
            onFailure: (error) => this.note(error),
        });
    }

    start() {
        addEventListener("hashchange", () => this.route());
        this.route();
        this.live.start();
    }

    /* --- where we are --- */

    route() {
        const { view, id, message } = readAddress(location.hash);
        this.view = view;
        this.detail = view === "chat" ? "" : id;
        this.target = message;
        if (view === "chat" && id !== (this.open.isNew ? "" : this.open.id))
            this.setOpen(id ? new OpenThread(this, id) : this.blank());
        else if (message) this.open.reveal(message);
        this.changed();
    }

    /** @param {OpenThread} thread */
    setOpen(thread) {
        this.open = thread;
        this.live.follow(thread.isNew ? "" : thread.id);
    }

    /** @param {string} view @param {string} [detail] */
    go(view, detail = "") {
        const hash = `#/${view}${detail ? `/${detail}` : ""}`;
        if (location.hash === hash) this.route();
        else location.hash = hash;
    }

    /** @param {string} id @param {string | null} [message] */
    show(id, message) {
        this.go("chat", message ? `${id}/${message}` : id);
    }

    blank() {
        const { model, preset, system } = this.settings;
        return new OpenThread(this, createId(), {
            model, system, parameters: preset ? { preset } : {},
        });
    }

    /** @param {string | null} [folder] */
    newChat(folder = null) {
        if (!this.open.isNew || this.open.messages.size) this.setOpen(this.blank());
        this.open.data.folder = folder;
        this.go("");
    }

    /** @param {OpenThread} thread */
    threadCreated(thread) {
        if (this.open !== thread) return;
        history.replaceState(null, "", `#/chat/${thread.id}`);
        this.live.follow(thread.id);
    }

    /* --- the program --- */

    /** @param {string} name @param {any} data */
    take(name, data) {
        if (name === "hello") this.catchUp();
        else if (name === "thread" || name === "thread.deleted" || name === "folders") {
            this.threads.take(name, data);
            if (name === "thread.deleted" && data.id === this.open.id && !this.open.isNew) this.newChat();
        } else if (name === "settings") this.takeSettings(data.settings ?? {});
        else if (name === "prompts") this.loadPrompts();
        else if (name === "models") this.models.load();
        else if (name === "downloads") {
            this.downloads = data.downloads ?? [];
            this.changed();
        } else if (data.thread === this.open.id) this.open.take(name, data);
    }

    /** After a connection was made: whatever happened meanwhile. */
    async catchUp() {
        const { open } = this;
        await Promise.all([
            this.attempt(() => this.threads.reload()),
            this.models.load(),
            open.isNew ? null : open.load().then(() => this.target && open.reveal(this.target)),
            call("GET", "/api/settings").then((settings) => this.takeSettings(settings)).catch(() => {}),
            this.loadPrompts(),
        ]);
    }

    async loadPrompts() {
        const reply = await call("GET", "/api/prompts").catch(() => null);
        this.prompts = reply?.prompts ?? this.prompts;
        this.changed();
    }

    /** @param {boolean} isOnline */
    setOnline(isOnline) {
        if (isOnline) this.needsToken = false;
        if (this.isOnline === isOnline) return;
        this.isOnline = isOnline;
        this.changed();
    }

    async reconnect() {
        if (await isAlive()) this.live.connect();
    }

    /** @param {string} token
     * @returns {Promise<boolean>} */
    async login(token) {
        try {
            await login(token);
        } catch {
            return false;
        }
        this.needsToken = false;
        this.live.connect();
        this.changed();
        return true;
    }

    /** Does what a failure asks of the page as a whole. @param {unknown} error */
    note(error) {
        if (error instanceof ApiError && error.kind === "token") this.needsToken = true;
        if (error instanceof ApiError && error.kind === "offline") this.setOnline(false);
        this.changed();
    }

    /**
     * For requests whose failure has no place of its own to be shown at: it is said in a notice.
     * @template T
     * @param {() => Promise<T>} work
     * @returns {Promise<T | undefined>} undefined: it failed
     */
    async attempt(work) {
        try {
            return await work();
        } catch (error) {
            this.note(error);
            const { kind } = error instanceof ApiError ? error : { kind: "server" };
            if (kind !== "offline" && kind !== "token")
                this.tell(/** @type {Error} */ (error).message);
            return undefined;
        }
    }

    /** @param {string} notice */
    tell(notice) {
        this.notice = notice;
        this.changed();
    }

    /** Opens a dialog, or the panel beside the conversation.
     * @param {string} name @param {any} [data] */
    ask(name, data) {
        if (name === "panel") {
            if (this.view !== "chat") this.show(this.open.isNew ? "" : this.open.id);
            this.hasPanel = true;
        } else this.dialog = { name, data };
        this.onChange(); /* now: what is typed next is for the dialog */
    }

    closeDialog() {
        this.dialog = null;
        this.changed();
    }

    /** For those who listen instead of looking.
     * @param {"answering" | "answered" | "failed"} what @param {string} [text] */
    say(what, text = "") {
        this.announcement = { what, text };
        this.changed();
    }

    /* --- choices --- */

    /** @param {Partial<import("./settings.js").Settings>} changes */
    async setSettings(changes) {
        this.applySettings({ ...this.settings, ...changes });
        const shared = Object.fromEntries(
            Object.entries(changes).filter(([name]) => name !== "sidebar"));
        if (Object.keys(shared).length) await call("PATCH", "/api/settings", shared).catch(() => {});
    }

    /** @param {Record<string, any>} settings */
    takeSettings(settings) {
        const known = Object.entries(settings).filter(([name, value]) =>
            name in DEFAULTS && name !== "sidebar" && value !== null);
        this.applySettings({ ...this.settings, ...Object.fromEntries(known) });
    }

    /** @param {import("./settings.js").Settings} settings */
    applySettings(settings) {
        this.settings = settings;
        saveSettings(settings);
        this.onSettings(settings);
        this.changed();
    }

    /** The model that this conversation is answered by. */
    get model() {
        return this.models.find(this.open.data.model);
    }

    /** @param {string} model */
    setModel(model) {
        this.setSettings({ model });
        return this.open.change({ model });
    }
}
