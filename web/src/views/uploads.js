/* Uploads: files on their way from the browser to the program, three at a time. Each is the body of a
 * request, which the browser reads from the disk as it sends, so that a large file costs no memory. They
 * go on when another view is looked at. What the program then makes of a file it tells by events. */

import { createId } from "../api.js";
import { t } from "../later_words.js";
import { sendFile } from "./sending.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../files.js").Found} Found */
/** @typedef {Found & { key: string, workspace: string, thread: string,
 *   state: "waiting" | "sending" | "sent" | "failed", bytesSent: number, error: string }} Upload */

const AT_ONCE_MAX = 3;

export class Uploads {
    /** @param {Page} page */
    constructor(page) {
        this.page = page;
        /** @type {Upload[]} */
        this.all = [];
        this.sending = 0;
        /* An event may overtake the reply that first tells of what it is about. */
        /** @type {Map<string, any>} documents and jobs by id, as events had them last */
        this.heard = new Map();
        addEventListener("beforeunload", (event) => this.isBusy && event.preventDefault()); /* a page that goes stops sending */
        page.hearers.add((name, data) => {
            if (this.sending && (name === "document" || name === "job")) this.heard.set(data[name]?.id, data[name]);
        });
    }

    /** Adds files to a workspace, or to a thread alone.
     * @param {Found[]} found @param {{ workspace?: string, thread?: string }} place
     * @returns {Upload[]} */
    add(found, { workspace = "", thread = "" }) {
        if (!this.isBusy) this.all = this.all.filter(({ state }) => state === "failed");
        const added = found.map((one) => ({ ...one, key: createId(), workspace, thread,
                                            state: /** @type {const} */ ("waiting"), bytesSent: 0, error: "" }));
        this.all.push(...added);
        this.work();
        return added;
    }

    get isBusy() {
        return this.all.some(({ state }) => state === "waiting" || state === "sending");
    }

    /** How much of what was added in one go is with the program. */
    get measures() {
        let [done, failed, bytes, bytesDone] = [0, 0, 0, 0];
        for (const { state, file, bytesSent } of this.all) {
            bytes += file.size;
            if (state === "failed") failed++;
            else bytesDone += state === "sent" ? file.size : bytesSent;
            if (state === "sent") done++;
        }
        return { total: this.all.length, done, failed, bytes, bytesDone };
    }

    work() {
        while (this.sending < AT_ONCE_MAX) {
            const next = this.all.find(({ state }) => state === "waiting");
            if (!next) break;
            next.state = "sending";
            this.sending++;
            this.send(next).finally(() => {
                if (!--this.sending) this.heard.clear();
                this.work();
            });
        }
        this.page.changed();
    }

    /** @param {Upload} upload */
    async send(upload) {
        const { path, file, workspace, thread } = upload;
        const query = new URLSearchParams({ name: path, ...(workspace && { workspace }), ...(thread && { thread }) });
        try {
            const reply = await sendFile(`/api/documents?${query}`, file, (bytes) => {
                upload.bytesSent = bytes;
                this.page.changed();
            });
            upload.state = "sent";
            for (const name of ["document", "job"]) {
                if (reply[name]) reply[name] = this.heard.get(reply[name].id) ?? reply[name];
                if (reply[name]) this.page.take(name, { [name]: reply[name] });
            }
            this.end(upload, reply);
        } catch (error) {
            upload.state = "failed";
            upload.bytesSent = 0;
            upload.error = /** @type {Error} */ (error).message;
            this.page.note(error);
            this.end(upload, null);
        }
    }

    /** @param {Upload} upload @param {any} reply */
    end(upload, reply) {
        if (!upload.thread) return;
        const { open } = this.page;
        if (open.id !== upload.thread) return;
        const others = (open.data.documents ?? []).filter(({ id }) => id !== upload.key && id !== reply?.document?.id);
        if (reply?.document) others.push({ id: reply.document.id, name: reply.document.name, state: reply.document.state });
        else this.page.tell(t("uploadFailed", { name: upload.path, error: upload.error }));
        open.data.documents = others;
        this.page.changed();
    }

    /** Those that failed once more. */
    retry() {
        for (const one of this.all) if (one.state === "failed") Object.assign(one, { state: "waiting", error: "" });
        this.work();
    }

    /** Forgets what waits and what failed. */
    clear() {
        this.all = this.all.filter(({ state }) => state === "sending");
        this.page.changed();
    }
}

/** @type {WeakMap<Page, Uploads>} */
const known = new WeakMap();

/** @param {Page} page @returns {Uploads} */
export function uploadsOf(page) {
    const uploads = known.get(page) ?? new Uploads(page);
    known.set(page, uploads);
    return uploads;
}

/** Files for this conversation alone. @param {Page} page @param {Found[]} found */
export async function attachToThread(page, found) {
    const { open } = page;
    if (!found.length || open.state !== "ready") return;
    if ((await page.attempt(() => open.create().then(() => true))) === undefined) return;
    const added = uploadsOf(page).add(found, { thread: open.id });
    const chips = added.map(({ key, path }) => ({ id: key, name: path, state: /** @type {const} */ ("sending") }));
    open.data.documents = [...(open.data.documents ?? []), ...chips];
    page.changed();
}
