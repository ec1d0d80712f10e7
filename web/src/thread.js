/* Thread: what the reader does with the conversation that is open.
 *
 * Sending is optimistic: question and answer get their ids here and are shown at once; the program's
 * reply and its events then fill them in. A question that could not be delivered stays, says so, and is
 * sent again under the same id, which the program recognises. */

import { call, createId, toFailure } from "./api.js";
import { ThreadState } from "./thread_state.js";
import * as tree from "./tree.js";

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Thread} ThreadData */
/** @typedef {import("./types.js").Attachment} Attachment */

export class OpenThread extends ThreadState {
    /* --- asking --- */

    /** @param {string} content @param {Attachment[]} [attachments] */
    send(content, attachments = []) {
        return this.ask(this.path.at(-1)?.id ?? null, content, attachments);
    }

    /** Another wording of a question. @param {Message} message @param {string} content */
    edit(message, content) {
        return this.ask(message.parent, content, message.attachments ?? []);
    }

    /** @param {string | null} parent @param {string} content @param {Attachment[]} attachments */
    ask(parent, content, attachments) {
        const now = Date.now();
        const question = this.add({ parent, role: "user", content, attachments, created: now, finish: "stop" });
        this.add({ parent: question.id, role: "assistant", created: now + 1, model: this.data.model });
        return this.deliver(question);
    }

    /** @param {Partial<Message>} fields @returns {Message} */
    add(fields) {
        /** @type {Message} */
        const message = {
            id: createId(), parent: null, role: "assistant", content: "", created: Date.now(),
            finish: null, seq: 0, isUnsent: true, ...fields,
        };
        this.messages.set(message.id, message);
        this.head = message.id;
        this.reshape();
        return message;
    }

    /** Tells the program of a question; also again, after a failure. @param {Message} question */
    async deliver(question) {
        const [answerId] = this.children.get(question.id) ?? [];
        const answer = this.messages.get(answerId);
        question.failure = null;
        if (answer) answer.failure = null;
        this.page.say("answering");
        try {
            await this.create();
            const reply = await call("POST", `/api/threads/${this.id}/messages`, {
                id: question.id, parent: question.parent, role: "user", content: question.content,
                attachments: question.attachments?.length ? question.attachments : undefined,
                answer: true, answer_id: answerId,
            });
            this.page.drafts.clear(this.id);
            this.takeReply(reply.message);
            if (reply.answer) this.takeReply(reply.answer);
        } catch (error) {
            this.page.note(error);
            if (answer) answer.failure = toFailure(error);
            this.page.say("failed");
            for (const one of [question, answer]) if (one) this.touch(one.id);
            this.reshape();
        }
    }

    /** A reply may come behind the events that it caused. @param {Message} message */
    takeReply(message) {
        const before = this.messages.get(message.id);
        if (before && !before.isUnsent && (before.finish !== null || before.seq >= message.seq)) return;
        this.put(message);
    }

    /** Tells the program of this thread, if it does not know of it yet. */
    async create() {
        if (!this.isNew) return;
        const { id, folder, system, model, parameters, workspace } = this.data;
        await call("POST", "/api/threads", { id, folder, system, model, parameters, workspace: workspace || undefined });
        this.isNew = false;
        this.page.threadCreated(this);
    }

    /** Another answer to the same question. @param {Message} message @param {string} [model] */
    async regenerate(message, model) {
        const answer = this.add({ parent: message.parent, created: Date.now(), model: model ?? this.data.model });
        await this.request(answer, { parent: message.parent, id: answer.id, model });
    }

    /** Asks again after a failure; one that left nothing is not worth a branch. @param {Message} message */
    async retry(message) {
        const question = this.messages.get(message.parent ?? "");
        if (message.isUnsent && question?.isUnsent) return this.deliver(question);
        await this.regenerate(message);
        if (!message.content && !message.isUnsent) await this.remove(message);
        else if (message.isUnsent) this.drop([message.id]);
    }

    /** Goes on with an answer that was stopped or reached its limit. @param {Message} message */
    async continueAnswer(message) {
        const before = message.finish;
        message.finish = null;
        message.failure = null;
        this.touch(message.id);
        this.page.changed();
        await this.request(message, { continue: message.id }, before);
    }

    /** @param {Message} answer @param {object} body @param {Message["finish"]} [before] */
    async request(answer, body, before = null) {
        this.page.say("answering");
        try {
            const reply = await call("POST", `/api/threads/${this.id}/answers`, body);
            if (reply?.answer) this.takeReply(reply.answer);
        } catch (error) {
            this.page.note(error);
            const now = this.messages.get(answer.id) ?? answer;
            now.failure = toFailure(error);
            now.finish = before;
            this.touch(answer.id);
            this.reshape();
        }
    }

    async stop() {
        const message = this.running;
        if (message) await this.page.attempt(() =>
            call("POST", `/api/threads/${this.id}/stop`, { message: message.id }));
    }

    /* --- changing --- */

    /** Shows this sibling. @param {string} id */
    choose(id) {
        this.head = tree.leafBelow(this.children, id, this.chosen);
        this.reshape();
        call("PATCH", `/api/threads/${this.id}`, { head: this.head }).catch(() => {});
    }

    /** Shows the branch that holds this message. @param {string} id */
    reveal(id) {
        if (!this.messages.has(id) || this.path.some((message) => message.id === id)) return;
        this.head = tree.leafBelow(this.children, id, this.chosen);
        this.reshape();
    }

    /** @param {Message} message */
    async remove(message) {
        const ids = tree.withDescendants(this.children, message.id);
        const kept = message.isUnsent || await this.page.attempt(() =>
            call("DELETE", `/api/threads/${this.id}/messages/${message.id}`));
        if (kept !== undefined) this.drop(ids);
    }

    /** Rewrites an answer in place. @param {Message} message @param {string} content */
    async rewrite(message, content) {
        const changed = await this.page.attempt(() =>
            call("PATCH", `/api/threads/${this.id}/messages/${message.id}`, { content }));
        if (changed) this.put(changed);
    }

    /** @param {Partial<ThreadData>} changes */
    async change(changes) {
        Object.assign(this.data, changes);
        this.page.changed();
        if (!this.isNew)
            await this.page.attempt(() => call("PATCH", `/api/threads/${this.id}`, changes));
    }

    /** @param {import("./types.js").Parameters} changes */
    setParameters(changes) {
        return this.change({ parameters: { ...this.data.parameters, ...changes } });
    }
}
