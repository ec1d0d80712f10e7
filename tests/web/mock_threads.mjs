/* Mock threads: conversations as the program keeps them, in memory, with answers from a list that run
 * whether or not anyone listens. Part of mock.mjs.
 *
 * The question steers the answer: "error:context", "error:429", "error:500" fail; "slow" writes slowly,
 * "endless" until it is stopped, "endless reading" never begins; "reason" thinks first, "tool" calls a
 * tool, "sample" is tests/web/sample.md, "huge" 50 kB of it, "echo:TEXT" says TEXT. In a workspace the
 * documents are asked: three passages, a sentence that is supported and one that is not. */

import { readFileSync } from "node:fs";

export const SAMPLE = readFileSync(new URL("sample.md", import.meta.url), "utf8");
export const CONTEXT_TOKENS = 8192;

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let counter = 0;
const newId = () => `m${++counter}`;

const ERRORS = {
    "error:context": { code: "context_length_exceeded", message: "the prompt has 9001 tokens and the model's " +
        "context 8192: shorten the conversation" },
    "error:429": { code: "server_busy", message: "256 requests wait already" },
    "error:500": { code: "internal_error", message: "matrix on fire" },
    "error:model": { code: "model_not_found", message: "'gone' is not installed" },
};

export class Refusal extends Error {
    constructor(status, message, code = null) {
        super(message);
        this.status = status;
        this.body = { error: { message, type: "invalid_request_error", param: null, code } };
    }
}

function replyTo(text) {
    if (text.startsWith("echo:")) return text.slice(5);
    if (text.includes("huge")) return Array.from({ length: 36 }, () => SAMPLE).join("\n\n");
    if (text.includes("sample")) return SAMPLE;
    return "The sky is blue because air scatters short waves of sunlight more than long ones. " +
        "Blue light reaches the eye **from every direction**, red light mostly straight from the sun.";
}

export class MockThreads {
    /** @param {(name: string, data: object, thread?: string) => void} tell */
    constructor(tell, desk) {
        this.tell = tell;
        this.desk = desk;
        this.threads = new Map();
        this.folders = [];
        this.deleted = new Map();
        this.requests = []; /* what was asked for, for tests to look at */
        this.hold = ""; /* where answers wait: "searching", "found", "thought", "end" */
        this.onAnswered = (_thread, _message, _question) => {};
    }

    /** A thread as it is read, with its documents as they are now. */
    whole(id) {
        const thread = this.find(id);
        const documents = (thread.documents ?? []).map((one) => {
            const { name, state } = this.desk.documents.get(one.id) ?? one;
            return { id: one.id, name, state };
        });
        return { ...thread, ...this.summary(thread), documents };
    }

    summary({ messages, system, parameters, head, ...thread }) {
        return { ...thread, running: messages.some(({ role, finish }) => role === "assistant" && finish === null) };
    }

    find(id) {
        const thread = this.threads.get(id);
        if (!thread) throw new Refusal(404, `'id': no thread '${id}'`, "not_found");
        return thread;
    }

    changed(thread) {
        this.tell("thread", { thread: this.summary(thread) });
    }

    list(query) {
        const words = query.get("q");
        if (words) return { hits: this.search(words) };
        const folder = query.get("folder");
        const limit = Number(query.get("limit") ?? 50);
        const start = Number(query.get("before") ?? 0);
        const all = [...this.threads.values()]
            .filter((one) => !folder || one.folder === folder)
            .filter((one) => !query.get("workspace") || one.workspace === query.get("workspace"))
            .sort((a, b) => Number(b.pinned) - Number(a.pinned) || b.updated - a.updated);
        const next = start + limit < all.length ? String(start + limit) : null;
        return { threads: all.slice(start, start + limit).map((one) => this.summary(one)), next };
    }

    search(words) {
        const wanted = words.toLowerCase();
        return [...this.threads.values()].flatMap((thread) => [
            ...(thread.title.toLowerCase().includes(wanted)
                ? [{ thread: thread.id, title: thread.title, message: null, role: "", created: thread.created,
                     snippet: [[thread.title, true]] }] : []),
            ...thread.messages.filter(({ content }) => content.toLowerCase().includes(wanted)).map((one) => {
                const at = one.content.toLowerCase().indexOf(wanted);
                return { thread: thread.id, title: thread.title, message: one.id, role: one.role, created: one.created,
                         snippet: [[one.content.slice(Math.max(0, at - 30), at), false],
                                   [one.content.slice(at, at + wanted.length), true],
                                   [one.content.slice(at + wanted.length, at + 80), false]] };
            }),
        ]);
    }

    create(body) {
        const now = Date.now();
        const thread = { id: body.id ?? newId(), title: body.title ?? "", renamed: !!body.title, folder: body.folder ?? null,
                         pinned: false, created: now, updated: now, model: body.model ?? "", preview: "",
                         system: body.system ?? "", parameters: body.parameters ?? {}, head: null, messages: [],
                         workspace: body.workspace ?? null, documents: [] };
        if (!this.threads.has(thread.id)) this.threads.set(thread.id, thread);
        this.changed(thread);
        return { ...thread, ...this.summary(thread) };
    }

    change(id, body) {
        const thread = this.find(id);
        Object.assign(thread, body);
        if (body.title) thread.renamed = true;
        this.changed(thread);
        return this.summary(thread);
    }

    remove(id) {
        this.deleted.set(id, this.find(id));
        this.threads.delete(id);
        this.tell("thread.deleted", { id });
        return { restorable_until: Date.now() + 1e9 };
    }

    restore(id) {
        this.threads.set(id, this.deleted.get(id));
        this.changed(this.find(id));
        return this.summary(this.find(id));
    }

    add(thread, fields) {
        const message = { parent: null, content: "", reasoning: "", created: Date.now(), model: thread.model || "smollm2",
                          finish: null, error: null, measures: null, attachments: [], seq: 0, ...fields };
        message.id ??= newId();
        thread.messages.push(message);
        thread.head = message.id;
        thread.updated = Date.now();
        if (!thread.title && message.role === "user") thread.title = message.content.slice(0, 60);
        thread.preview = message.content.slice(0, 80);
        this.tell("message", { thread: thread.id, message: { ...message } }, thread.id);
        return message;
    }

    ask(id, body) {
        const thread = this.find(id);
        this.requests.push({ ...body, thread: { ...thread, messages: undefined } });
        const known = thread.messages.find((one) => one.id === body.id);
        if (known) return { message: known, answer: thread.messages.find((one) => one.parent === known.id) ?? null };
        const message = this.add(thread, { id: body.id, parent: body.parent, role: "user", content: body.content,
                                           attachments: body.attachments ?? [], finish: "stop" });
        if (body.answer === false) return { message, answer: null };
        const answer = this.add(thread, { id: body.answer_id, parent: message.id, role: "assistant", created: Date.now() + 1 });
        const reply = { message: { ...message }, answer: { ...answer } };
        this.write(thread, answer);
        return reply;
    }

    answerAgain(id, body) {
        const thread = this.find(id);
        this.requests.push(body);
        if (body.continue) {
            const message = thread.messages.find((one) => one.id === body.continue);
            Object.assign(message, { finish: null, error: null });
            this.write(thread, message, " And so on.");
            return { answer: { ...message } };
        }
        const answer = this.add(thread, { id: body.id, parent: body.parent, role: "assistant", model: body.model || thread.model });
        const reply = { answer: { ...answer } };
        this.write(thread, answer);
        return reply;
    }

    async write(thread, message, more) {
        this.changed(thread);
        const question = thread.messages.find((one) => one.id === message.parent)?.content ?? "";
        const tell = (name, data) => this.tell(name, { thread: thread.id, message: message.id, ...data }, thread.id);
        const grow = (field, text) => {
            message[field] += text;
            message.seq++;
            tell(field === "content" ? "delta" : "reasoning", { text, seq: message.seq });
        };
        const isStopped = () => message.finish !== null;
        const slow = question.includes("slow") ? 120 : 4;
        await wait(5);
        const fromDocuments = more ? null : await this.retrieve(thread, message, question, tell);
        for (let done = 0; done <= 2048 && !isStopped(); done += 512) {
            tell("progress", { done, total: 2048 });
            await wait(slow);
            while (!isStopped() && question.includes("endless reading") && done === 1024) await wait(20);
        }
        const started = Date.now();
        if (ERRORS[question]) Object.assign(message, { finish: "error", error: ERRORS[question] });
        if (question.includes("reason")) for (const word of "Let me think about light and air. ".repeat(6).split(/(?<= )/)) {
            if (isStopped()) break;
            grow("reasoning", word);
            await wait(slow / 4);
        }
        await this.held("thought");
        if (question.includes("tool")) message.tool_calls = [{ id: "c1", name: "weather", arguments: '{"city":"Paris"}', result: "21 °C" }];
        const size = question.includes("huge") ? 160 : 4;
        const pieces = (more ?? fromDocuments ?? replyTo(question)).match(new RegExp(`[\\s\\S]{1,${size}}`, "g")) ?? [];
        for (let index = 0; !isStopped(); index++) {
            if (index >= pieces.length && !question.includes("endless")) break;
            grow("content", pieces[index % pieces.length]);
            await wait(question.includes("slow") ? 40 : 2);
        }
        await this.held("end");
        message.finish ??= "stop";
        this.cite(message);
        if (!more) this.onAnswered(thread.id, message, question);
        message.measures = { prompt_seconds: 0.4, generate_seconds: (Date.now() - started) / 1000, prompt_tokens: 2048,
                             cached_tokens: 512, generated_tokens: pieces.length, tokens_per_s: 84.2,
                             context_tokens: CONTEXT_TOKENS };
        tell("end", { message: { ...message } });
        this.changed(thread);
    }

    stop(id, body) {
        for (const message of this.find(id).messages)
            if (message.finish === null && (!body.message || body.message === message.id)) message.finish = "stopped";
        return {};
    }

    attach(id, { id: document, name, state }) {
        if (id) this.find(id).documents.push({ id: document, name, state });
    }

    detach(id, mid) {
        const thread = this.find(id);
        thread.documents = thread.documents.filter((one) => one.id !== mid);
        return {};
    }

    async held(place) {
        while (this.hold === place) await wait(10);
    }

    /** What is looked up before an answer in a workspace. @returns {Promise<string | null>} the answer */
    async retrieve(thread, message, question, tell) {
        if (!thread.workspace) return null;
        tell("retrieval", { state: "searching", sources: null });
        await wait(20);
        await this.held("searching");
        const hits = this.desk.search({ query: question, workspace: thread.workspace, count: 3 });
        const passages = hits.hits.map((one, index) => ({ ...one, number: index + 1 }));
        message.sources = { found: hits.found, confidence: hits.confidence, query: hits.query, passages, citations: [] };
        tell("retrieval", { state: "done", sources: message.sources });
        await this.held("found");
        if (!hits.found) return "I can only guess.";
        return "The deposit is **1,200 euros** 🎉. [1] The house is made of cheese. [2] See `a[1]` too.\n\nAnd [9] is no source.";
    }

    /** The citations of a finished answer. */
    cite(message) {
        if (!message.sources?.passages.length) return;
        message.sources = { ...message.sources, citations: [["[1]", 1, true, 0.91], ["[2]", 2, false, 0.12]].map(([mark, number, supported, score]) =>
            ({ start: message.content.indexOf(mark), end: message.content.indexOf(mark) + 3, passages: [number], supported, score }))
            .filter(({ start }) => start >= 0) };
    }

    rewrite(id, mid, body) {
        const message = this.find(id).messages.find((one) => one.id === mid);
        message.content = body.content;
        this.tell("message", { thread: id, message: { ...message } }, id);
        return message;
    }

    removeMessage(id, mid) {
        const thread = this.find(id);
        const ids = [mid];
        for (const one of ids) ids.push(...thread.messages.filter(({ parent }) => parent === one).map((m) => m.id));
        for (const one of thread.messages) if (ids.includes(one.id)) one.finish ??= "stopped";
        thread.messages = thread.messages.filter((one) => !ids.includes(one.id));
        this.tell("message.deleted", { thread: id, ids }, id);
        return {};
    }

    fork(id, body) {
        const thread = this.find(id);
        const path = [];
        for (let at = body.message; at; at = path[0].parent) path.unshift(thread.messages.find((one) => one.id === at));
        const copy = this.create({ title: thread.title, model: thread.model, system: thread.system });
        const made = this.find(copy.id);
        made.messages = path.map((one) => ({ ...one }));
        made.head = body.message;
        return { ...made, ...this.summary(made) };
    }

    importFile(body) {
        const threads = body.threads ?? body;
        for (const one of threads) this.threads.set(one.id, { preview: "", running: false, ...one });
        for (const one of threads) this.changed(this.find(one.id));
        return { threads: threads.length, messages: threads.reduce((sum, one) => sum + one.messages.length, 0), skipped: [] };
    }
}
