/* Chat: the page's state and everything that changes it; no elements here.
 *
 * Components read the fields and call the methods; each change ends in changed(), which redraws at
 * most once a frame however fast tokens come. An answer belongs to its conversation, not to what is
 * shown: the reader may look at another chat while it is written, and two chats may be answered at
 * once. A conversation being answered lives in `running`; all others are in the store only. */

import * as api from "./api.js";
import * as tree from "./tree.js";

/** @typedef {import("./types.js").Conversation} Conversation */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Progress} Progress */
/** @typedef {import("./types.js").Summary} Summary */

/** One answer being written.
 * @typedef {{ conversation: Conversation, message: Message, controller: AbortController,
 *   progress: Progress | null, pieces: number, firstAt: number, savedAt: number }} Running */

const SAVE_EVERY_MS = 2000;
const RETRY_MS = 3000;

/** @param {() => void} work */
const nextFrame = (work) =>
    typeof requestAnimationFrame === "function" && !document.hidden
        ? void requestAnimationFrame(work) : void setTimeout(work, 50);

export class Chat {
    /**
     * @param {import("./store.js").Store} store
     * @param {import("./settings.js").Settings} settings
     * @param {(settings: import("./settings.js").Settings) => void} onSettings
     */
    constructor(store, settings, onSettings) {
        this.store = store;
        this.settings = settings;
        this.onSettings = onSettings;
        this.onChange = () => {};
        /** @type {Summary[]} */
        this.summaries = [];
        this.query = "";
        /** @type {import("./types.js").Model[]} */
        this.models = [];
        /** @type {Map<string, Running>} */
        this.running = new Map();
        this.isOnline = true;
        this.needsToken = false;
        /** @type {Conversation | null} a chat just deleted, until it can't come back */
        this.deleted = null;
        this.announcement = "";
        this.willRedraw = false;
        this.conversation = this.blank();
    }

    async start() {
        this.store.onForeignChange(() => this.refreshList());
        await this.refreshList();
        const id = location.hash.slice(1);
        if (id) await this.select(id);
        await this.loadModels();
    }

    changed() {
        if (this.willRedraw) return;
        this.willRedraw = true;
        nextFrame(() => {
            this.willRedraw = false;
            this.onChange();
        });
    }

    /* --- conversations --- */

    blank() {
        return tree.createConversation({
            now: Date.now(), model: this.settings.model,
            parameters: { preset: this.settings.preset },
        });
    }

    async refreshList() {
        const all = await this.store.list();
        this.summaries = all
            .filter((conversation) => tree.matches(conversation, this.query))
            .map(({ id, title, updated }) => ({ id, title, updated }));
        this.changed();
    }

    /** @param {string} query */
    search(query) {
        this.query = query;
        return this.refreshList();
    }

    newChat() {
        this.show(this.blank());
    }

    /** @param {Conversation} conversation */
    show(conversation) {
        this.conversation = conversation;
        const hash = conversation.roots.length ? `#${conversation.id}` : " ";
        history.replaceState(null, "", hash === " " ? location.pathname : hash);
        this.changed();
    }

    /** @param {string} id */
    async select(id) {
        const conversation = this.running.get(id)?.conversation ?? (await this.store.load(id));
        if (conversation) this.show(conversation);
        else this.newChat();
    }

    /** @param {Conversation} conversation */
    async save(conversation) {
        if (conversation.roots.length) await this.store.save(conversation);
        await this.refreshList();
    }

    /** @param {string} id @param {string} title */
    async rename(id, title) {
        const conversation = this.conversation.id === id
            ? this.conversation : this.running.get(id)?.conversation ?? (await this.store.load(id));
        if (!conversation || !title.trim()) return;
        conversation.title = title.trim();
        conversation.renamed = true;
        await this.save(conversation);
    }

    /** @param {string} id */
    async remove(id) {
        this.running.get(id)?.controller.abort();
        this.deleted = await this.store.load(id);
        await this.store.remove(id);
        if (this.conversation.id === id) this.newChat();
        await this.refreshList();
    }

    async undoRemove() {
        if (!this.deleted) return;
        const conversation = this.deleted;
        this.deleted = null;
        await this.save(conversation);
        this.show(conversation);
    }

    forgetRemoved() {
        this.deleted = null;
        this.changed();
    }

    /* --- the server --- */

    async loadModels() {
        try {
            this.models = await api.listModels();
            this.isOnline = true;
            this.needsToken = false;
        } catch (error) {
            this.noteFailure(/** @type {api.ApiError} */ (error));
        }
        this.changed();
    }

    /** The model of this conversation, or the first the server has. */
    get model() {
        return this.models.find((model) => model.id === this.conversation.model) ?? this.models[0];
    }

    /** @param {api.ApiError} error */
    noteFailure(error) {
        if (error.kind === "token") this.needsToken = true;
        if (error.kind !== "offline" || !this.isOnline) return;
        this.isOnline = false;
        this.waitForServer();
    }

    /** Asks now and then whether the server is back. */
    async waitForServer() {
        while (!this.isOnline) {
            await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
            if (this.isOnline || document.hidden) continue;
            await this.reconnect();
        }
    }

    async reconnect() {
        if (await api.isAlive()) await this.loadModels();
    }

    /** @param {string} value */
    async setToken(value) {
        api.token.set(value);
        await this.loadModels();
    }

    /* --- choices --- */

    /** @param {Partial<import("./settings.js").Settings>} changes */
    setSettings(changes) {
        this.settings = { ...this.settings, ...changes };
        this.onSettings(this.settings);
        this.changed();
    }

    /** @param {string} model */
    setModel(model) {
        this.conversation.model = model;
        this.setSettings({ model });
        return this.save(this.conversation);
    }

    /** @param {Partial<import("./types.js").Parameters>} changes */
    setParameters(changes) {
        Object.assign(this.conversation.parameters, changes);
        if (changes.preset !== undefined) this.setSettings({ preset: changes.preset });
        return this.save(this.conversation);
    }

    /* --- messages --- */

    get path() {
        return tree.pathOf(this.conversation);
    }

    get isAnswering() {
        return this.running.has(this.conversation.id);
    }

    /** @param {string} text */
    send(text) {
        const content = text.trim();
        if (!content || this.isAnswering) return;
        const last = this.path.at(-1);
        const question = tree.addMessage(this.conversation, last?.id ?? null, {
            role: "user", content, now: Date.now(),
        });
        this.show(this.conversation);
        return this.answer(question);
    }

    /** Another wording of a question: a sibling, answered. @param {string} id @param {string} text */
    edit(id, text) {
        const content = text.trim();
        if (!content || this.isAnswering) return;
        const { parent } = this.conversation.messages[id];
        const question = tree.addMessage(this.conversation, parent, {
            role: "user", content, now: Date.now(),
        });
        return this.answer(question);
    }

    /** Another answer to the same question. @param {string} id of the answer */
    regenerate(id) {
        const { parent } = this.conversation.messages[id];
        if (this.isAnswering || !parent) return;
        return this.answer(this.conversation.messages[parent]);
    }

    /** @param {Message} question */
    answer(question) {
        const conversation = this.conversation;
        const message = tree.addMessage(conversation, question.id, {
            role: "assistant", content: "", now: Date.now(), model: this.model?.id,
        });
        return this.run(conversation, message);
    }

    /** Goes on with an answer that was stopped or reached its limit. @param {string} id */
    continueAnswer(id) {
        if (this.isAnswering) return;
        return this.run(this.conversation, this.conversation.messages[id]);
    }

    /** @param {string} id */
    removeMessage(id) {
        if (this.isAnswering) return;
        tree.removeMessage(this.conversation, id);
        if (this.conversation.roots.length) return this.save(this.conversation);
        return this.remove(this.conversation.id);
    }

    /** Frees room in the context, then asks again. @param {string} id of the answer that failed */
    async forgetOldest(id) {
        if (this.isAnswering || !tree.removeOldest(this.conversation)) return;
        await this.save(this.conversation);
        if (this.conversation.messages[id]) await this.retry(id);
    }

    /** Asks again in place: a failed answer is not worth a branch. @param {string} id */
    retry(id) {
        if (this.isAnswering) return;
        return this.run(this.conversation, this.conversation.messages[id]);
    }

    /** @param {string} id */
    choose(id) {
        if (this.isAnswering) return;
        tree.choose(this.conversation, id);
        return this.save(this.conversation);
    }

    stop() {
        this.running.get(this.conversation.id)?.controller.abort();
    }

    /**
     * Streams into `message`. When it holds text already, the server is asked to continue it.
     * @param {Conversation} conversation
     * @param {Message} message
     */
    async run(conversation, message) {
        const controller = new AbortController();
        /** @type {Running} */
        const running = { conversation, message, controller, progress: null, pieces: 0, firstAt: 0,
                          savedAt: Date.now() };
        this.running.set(conversation.id, running);
        message.failure = null;
        message.finish = null;
        this.announcement = "answering";
        await this.save(conversation);
        const path = tree.pathOf(conversation);
        const messages = tree.toRequestMessages(
            path.slice(0, path.indexOf(message) + 1), conversation.parameters.system);
        const model = conversation.model && this.models.some(({ id }) => id === conversation.model)
            ? conversation.model : this.models[0]?.id ?? "";
        try {
            const body = api.chatBody(model, messages, conversation.parameters);
            const end = await api.streamChat(body, {
                signal: controller.signal,
                onText: (text) => this.takeText(running, text),
                onProgress: (progress) => {
                    running.progress = progress;
                    this.changed();
                },
            });
            message.finish = end.finish;
            message.measures = end.measures;
        } catch (error) {
            this.endBadly(running, error);
        }
        message.model = model;
        conversation.updated = Date.now();
        this.running.delete(conversation.id);
        this.announcement = message.failure ? "failed" : "answered";
        if (conversation.messages[message.id]) await this.saveUnlessRemoved(conversation);
        this.changed();
    }

    /** @param {Conversation} conversation */
    async saveUnlessRemoved(conversation) {
        if (this.deleted?.id !== conversation.id) await this.save(conversation);
    }

    /** @param {Running} running @param {string} text */
    takeText(running, text) {
        const now = performance.now();
        running.firstAt ||= now;
        running.pieces++;
        running.message.content += text;
        if (Date.now() - running.savedAt > SAVE_EVERY_MS) {
            running.savedAt = Date.now();
            this.store.save(running.conversation).catch(() => {});
        }
        this.changed();
    }

    /** @param {Running} running @param {unknown} error */
    endBadly({ message, controller, progress, pieces, firstAt }, error) {
        const seconds = (performance.now() - firstAt) / 1000;
        /* No last chunk came, so this is what the page itself has counted. */
        message.measures = { generated_tokens: pieces };
        if (progress) message.measures.prompt_tokens = progress.total;
        if (pieces > 1) message.measures.tokens_per_s = (pieces - 1) / seconds;
        if (controller.signal.aborted) {
            message.finish = "stopped";
            return;
        }
        const failure = error instanceof api.ApiError
            ? error : new api.ApiError("server", String(error));
        message.failure = { kind: failure.kind, detail: failure.message };
        this.noteFailure(failure);
    }
}
