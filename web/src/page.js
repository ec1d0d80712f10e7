/* Page: the state of this tab, and everything that changes it; no elements here. Components read the
 * fields and call the methods; each change ends in changed(), which redraws at most once a frame.
 *
 *   page.threads  the list                    page.models   what can answer
 *   page.open     the conversation shown      page.prompts  templates
 *   page.live     the stream of events        page.drafts   what is not sent yet
 *   page.workspaces                           page.source   the passage shown beside
 *
 * What is shown is in the address (`#/chat/ID`, `#/models` ...), so that the browser's own back and
 * forward, bookmarks and reloads work. */

import { isOutside, readAddress, toAddress } from "./address.js";
import { ApiError, call, createId, isAlive, login } from "./api.js";
import { Drafts } from "./drafts.js";
import { Live } from "./live.js";
import { Models } from "./models.js";
import { Parting } from "./parting.js";
import { onceAFrame } from "./redraw.js";
import { DEFAULTS, saveSettings } from "./settings.js";
import { OpenThread } from "./thread.js";
import { Threads } from "./threads.js";
import { Workspaces } from "./workspaces.js";

/** @typedef {import("./address.js").ViewName} ViewName */

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
        /** @type {{ passages: import("./types.js").Passage[], index: number } | null} */
        this.source = null;
        /** @type {Set<(name: string, data: any) => void>} views that want events of their own */
        this.hearers = new Set();
        this.notice = ""; /* a failure of something small, shown for a while */
        this.parting = new Parting(this);
        this.drafts = new Drafts();
        this.threads = new Threads(this);
        this.models = new Models(this);
        this.workspaces = new Workspaces(this);
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
        const { view, id, message, workspace } = readAddress(location.hash);
        this.view = view;
        const known = view === "chat" ? this.threads.items.get(id) : undefined;
        if (!isOutside(view)) this.workspaces.set(known ? known.workspace ?? "" : workspace);
        this.detail = view === "chat" ? "" : id;
        this.target = message;
        if (view === "chat" && id !== (this.open.isNew ? "" : this.open.id))
            this.setOpen(id ? new OpenThread(this, id) : this.blank());
        else if (message) this.open.reveal(message);
        this.freshen();
        this.changed();
    }

    /** A chat brings its workspace along. @param {string} loaded */
    threadLoaded(loaded) {
        if (this.open.id !== loaded || this.view !== "chat") return;
        this.workspaces.set(this.open.data.workspace ?? "");
        const { id, message } = readAddress(location.hash);
        history.replaceState(null, "", this.address("chat", message ? `${id}/${message}` : id));
    }

    /** @param {OpenThread} thread */
    setOpen(thread) {
        this.open = thread;
        if (this.view === "chat") this.source = null;
        this.live.follow(thread.isNew ? "" : thread.id);
    }

    /** @param {string} view @param {string} [detail] */
    address(view, detail = "") {
        return toAddress(view, detail, this.workspaces.id);
    }

    /** @param {string} view @param {string} [detail] */
    go(view, detail = "") {
        const hash = this.address(view, detail);
        if (location.hash === hash) this.route();
        else location.hash = hash;
    }

    /** @param {string} id @param {string | null} [message] */
    show(id, message) {
        this.go("chat", message ? `${id}/${message}` : id);
    }

    blank() {
        return new OpenThread(this, createId(), this.defaults());
    }

    /** What a new chat begins with; what its workspace sets is left to it. */
    defaults() {
        const { model, preset, system } = this.settings;
        const { id, current } = this.workspaces;
        return { model: current?.model || model, system: current?.system ? "" : system,
                 parameters: preset ? { preset } : {}, workspace: id || null };
    }

    /** The empty chat follows the workspace. */
    freshen() {
        const { open, workspaces } = this;
        if (!open.isNew || open.messages.size) return;
        if ((open.data.workspace ?? "") !== workspaces.id) Object.assign(open.data, this.defaults());
        else if (workspaces.current?.model && !open.data.title) open.data.model ||= workspaces.current.model;
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
        history.replaceState(null, "", this.address("chat", thread.id));
        this.live.follow(thread.id);
    }

    /* --- the program --- */

    /** @param {string} name @param {any} data */
    take(name, data) {
        for (const hear of this.hearers) hear(name, data);
        if (name === "hello") this.catchUp();
        else if (name === "workspace" || name === "workspace_deleted") this.workspaces.take(name, data);
        else if (name === "document") this.open.takeDocument(data.document);
        else if (name === "job" && data.job.ended) this.workspaces.load(); /* its documents are counted */
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
            this.workspaces.load(),
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

    /** Shows one of these passages in its place, beside what is looked at.
     * @param {import("./types.js").Passage[]} passages @param {number} index */
    showSource(passages, index) {
        this.source = passages[index] ? { passages, index } : null;
        this.changed();
    }

    /** Opens a dialog, or the panel beside the conversation.
     * @param {string} name @param {any} [data] */
    ask(name, data) {
        if (name === "panel") {
            if (this.view !== "chat") this.show(this.open.isNew ? "" : this.open.id);
            this.source = null;
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
        const shared = Object.fromEntries(Object.entries(changes).filter(([name]) => name !== "sidebar"));
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
