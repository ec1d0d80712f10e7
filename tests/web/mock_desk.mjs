/* Mock desk: workspaces, documents, jobs and search as the program has them, in memory. Part of mock.mjs.
 *
 * A document's name steers what happens to it: "bad" in it fails, "slow" waits until finishReading(). */

import { deflateSync } from "node:zlib";
import { Refusal } from "./mock_threads.mjs";

let counter = 0;
const newId = (kind) => `${kind}${++counter}`;

/** A white picture of a page. */
export function pagePicture(width = 100, height = 141) {
    const table = Array.from({ length: 256 }, (_, index) => {
        let value = index;
        for (let turn = 0; turn < 8; turn++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
        return value >>> 0;
    });
    const sum = (bytes) => (bytes.reduce((crc, byte) => table[(crc ^ byte) & 255] ^ (crc >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0;
    const chunk = (name, data) => {
        const body = Buffer.concat([Buffer.from(name), data]);
        const [size, check] = [Buffer.alloc(4), Buffer.alloc(4)];
        size.writeUInt32BE(data.length);
        check.writeUInt32BE(sum(body));
        return Buffer.concat([size, body, check]);
    };
    const head = Buffer.alloc(13);
    head.writeUInt32BE(width, 0);
    head.writeUInt32BE(height, 4);
    head.writeUInt8(8, 8);
    const rows = Buffer.alloc((width + 1) * height, 255);
    for (let row = 0; row < height; row++) rows[row * (width + 1)] = 0;
    return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", head), chunk("IDAT", deflateSync(rows)),
                          chunk("IEND", Buffer.alloc(0))]);
}

const lease = "Lease of the flat\nThe deposit is 1,200 euros. It is returned within 30 days.\nKäse is not a reason to keep it.";
const words = (text) => [...text.matchAll(/\S+/g)].map((match, index) => {
    const start = Buffer.byteLength(text.slice(0, match.index));
    const left = 50 + (index % 6) * 80;
    const top = 60 + Math.floor(index / 6) * 30;
    return [start, start + Buffer.byteLength(match[0]), left, top, left + 70, top + 14];
});
const byteRange = (text, wanted) => {
    const start = Buffer.byteLength(text.slice(0, text.indexOf(wanted)));
    return { start, end: start + Buffer.byteLength(wanted) };
};
const sheet = "Month\tRent\nJanuary\t900\nFebruary\t905";
const mail = "From: landlord@example.org\nSubject: Heating\n\nThe heating is repaired on Friday. Please be at home.";

/** What the parts of each format hold. */
const PARTS = {
    pdf: [{ kind: "page", number: 1, label: "", width: 595, height: 842, scanned: false, text: lease, blocks: [], words: words(lease) },
          { kind: "page", number: 2, label: "", width: 595, height: 842, scanned: true, text: "Second page.", blocks: [], words: [] }],
    excel: [{ kind: "sheet", number: 1, label: "Rents", width: 0, height: 0, scanned: false, text: sheet, words: [],
              blocks: [["table", 0, 0, Buffer.byteLength(sheet), 0, 0, "B3:C5", null]] }],
    mail: [{ kind: "mail", number: 1, label: "Heating", width: 0, height: 0, scanned: false, text: mail, words: [],
             blocks: [["note", 0, 0, 43, 0, 0, null, null], ["paragraph", 0, 45, Buffer.byteLength(mail), 0, 0, null, null]] }],
};
PARTS.text = [{ kind: "file", number: 1, label: "", width: 0, height: 0, scanned: false, text: lease, blocks: [], words: [] }];

const formatOf = (name) => ({ pdf: "pdf", xlsx: "excel", eml: "mail" }[name.split(".").at(-1)] ?? "text");

export class MockDesk {
    /** @param {(name: string, data: object) => void} tell */
    constructor(tell) {
        this.tell = tell;
        this.workspaces = [];
        this.documents = new Map();
        this.jobs = [];
        this.watched = [];
        this.requests = []; /* for tests to look at */
        this.isOffered = true;
        this.found = true;
        this.sendingMax = 0;
        this.sending = 0;
        this.uploadMs = 0;
    }

    /** @param {string} name @param {object} [fields] */
    seedWorkspace(name, fields = {}) {
        const made = { id: newId("w"), name, created: 1, updated: 1, model: "", system: "", parameters: {},
                       retrieval: { count: 8, budget_tokens: 1500, diversity: 0.3, only_documents: false, rewrite: "auto" },
                       tags: [], threads: 0, ...fields };
        this.workspaces.push(made);
        return made;
    }

    seedDocument(workspace, name, fields = {}) {
        const format = formatOf(name);
        const made = { id: newId("f"), name, title: "", author: "", origin: "upload", address: "", media_type: "", format,
                       tags: [], bytes: 12345, modified: null, created: Date.now(), updated: Date.now(), state: "ready",
                       error: null, note: "", parts: PARTS[format].length, items: 3, tokens: 100,
                       workspaces: workspace ? [workspace] : [], pinned: false, ...fields };
        this.documents.set(made.id, made);
        return made;
    }

    /** A passage of a document, as search and answers have it. */
    passage(document, wanted, fields = {}) {
        const part = PARTS[document.format][0];
        return { document: document.id, name: document.name, title: document.title, format: document.format,
                 part: { ordinal: 0, kind: part.kind, number: 1, label: part.label }, heading: "", text: wanted,
                 ...byteRange(part.text, wanted), word_rank: 1, bm25: 7.25, vector_rank: 2, cosine: 0.612, fused: 0.0325,
                 in_prompt: true, ...fields };
    }

    shape(workspace) {
        return { ...workspace, documents: [...this.documents.values()].filter((one) => one.workspaces.includes(workspace.id)).length };
    }

    find(list, id) {
        const found = list.find((one) => one.id === id);
        if (!found) throw new Refusal(404, `no '${id}'`, "not_found");
        return found;
    }

    workspace(method, id, body) {
        if (!id && method === "GET") return { workspaces: this.workspaces.map((one) => this.shape(one)) };
        if (method === "POST") return this.shape(this.seedWorkspace(body.name));
        const found = this.find(this.workspaces, id);
        if (method === "PATCH") Object.assign(found, body);
        if (method === "DELETE") {
            this.workspaces = this.workspaces.filter((one) => one !== found);
            this.tell("workspace_deleted", { id });
            return {};
        }
        if (method === "PATCH") this.tell("workspace", { id });
        return this.shape(found);
    }

    list(query, workspace) {
        const q = (query.get("q") ?? "").toLowerCase();
        const state = query.get("state");
        const limit = Number(query.get("limit") ?? 50);
        const start = Number(query.get("before") ?? 0);
        const all = [...this.documents.values()].reverse().filter((one) => (!workspace || one.workspaces.includes(workspace)) &&
            (!q || one.name.toLowerCase().includes(q)) && (!state || one.state === state));
        return { documents: all.slice(start, start + limit), next: start + limit < all.length ? String(start + limit) : null };
    }

    change(document, fields) {
        Object.assign(document, fields);
        this.tell("document", { document: { ...document } });
    }

    async receive(query, length) {
        this.sendingMax = Math.max(this.sendingMax, ++this.sending);
        await new Promise((resolve) => setTimeout(resolve, this.uploadMs));
        this.sending--;
        const name = query.get("name");
        this.requests.push({ upload: name, workspace: query.get("workspace"), thread: query.get("thread"), length });
        if (name.includes("refused")) throw new Refusal(507, "the disk is full");
        const document = this.seedDocument(query.get("workspace"), name, { state: "waiting", parts: 0, bytes: length });
        const job = this.startJob(name, document, query.get("workspace"));
        this.read(job, document);
        return { document: { ...document }, job: { ...job } };
    }

    startJob(title, document, workspace, fields = {}) {
        const job = { id: newId("j"), kind: "add", title, state: "running", created: Date.now(), started: Date.now(), ended: null,
                      total: 1, done: 0, failed: 0, skipped: 0, bytes_total: 1000, bytes_done: 0, files_per_s: 2.5,
                      seconds_left: 12, error: null, workspace: workspace ?? null, documents: document ? [document.id] : [], ...fields };
        this.jobs.push(job);
        this.tell("job", { job: { ...job } });
        return job;
    }

    async read(job, document) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        this.change(document, { state: "reading" });
        if (document.name.includes("slow")) return;
        await new Promise((resolve) => setTimeout(resolve, 30));
        this.finishReading(job, document);
    }

    finishReading(job, document) {
        const isBad = document.name.includes("bad");
        this.change(document, isBad ? { state: "failed", error: { code: "bad_file", message: "the file ends early" } }
            : { state: "ready", parts: PARTS[document.format].length });
        Object.assign(job, { state: "done", ended: Date.now(), done: isBad ? 0 : 1, failed: isBad ? 1 : 0, seconds_left: 0 });
        this.tell("job", { job: { ...job } });
    }

    job(method, id, verb, body) {
        if (!id) return { jobs: this.jobs };
        const job = this.find(this.jobs, id);
        this.requests.push({ job: id, method, verb, ...body });
        if (verb === "retry") {
            Object.assign(job, { state: "running", failed: 0 });
            for (const document of job.documents.map((one) => this.documents.get(one))) {
                document.name = document.name.replace("bad", "good");
                this.read(job, document);
            }
        } else if (method === "PATCH") job.state = body.state;
        else if (method === "DELETE") job.state = "cancelled";
        else return { ...job, tasks: job.documents.map((one) => this.documents.get(one)).map(({ id: document, name, state, error }) =>
            ({ name, state: state === "failed" ? "failed" : "running", error, document })) };
        this.tell("job", { job: { ...job } });
        return { ...job };
    }

    /** @returns {any} undefined: no such path */
    route(method, [what, id, verb, mid], query, body) {
        if (!this.isOffered) return undefined;
        if (what === "workspaces" && verb === "documents") {
            if (!mid) return this.list(query, id);
            const document = this.documents.get(mid);
            if (method === "PATCH") document.pinned = body.pinned;
            if (method === "DELETE") document.workspaces = document.workspaces.filter((one) => one !== id);
            return {};
        }
        if (what === "workspaces") return this.workspace(method, id, body);
        if (what === "jobs") return this.job(method, id, verb, body);
        if (what === "watched") {
            if (method === "POST") this.watched.push({ id: newId("v"), ...body, error: null });
            if (method === "DELETE") this.watched = this.watched.filter((one) => one.id !== id);
            return { watched: this.watched };
        }
        if (what === "search") return this.search(body);
        if (what !== "documents") return undefined;
        if (!id) return this.list(query, query.get("workspace"));
        if (method === "POST" && !verb) {
            this.requests.push({ [id]: body });
            return { job: this.startJob(body.address ?? body.paths[0], null, body.workspace) };
        }
        const document = this.find([...this.documents.values()], id);
        if (verb === "read") {
            const job = this.startJob(document.name, document, null);
            document.name = document.name.replace("bad", "good");
            this.change(document, { state: "waiting", error: null });
            this.read(job, document);
            return { document: { ...document }, job: { ...job } };
        }
        if (verb === "parts") return PARTS[document.format][Number(mid)] ?? undefined;
        if (method === "PATCH") Object.assign(document, body);
        if (method === "DELETE") this.documents.delete(id);
        return document;
    }

    search(body) {
        this.requests.push({ search: body });
        const documents = [...this.documents.values()].filter((one) => one.state === "ready" &&
            (!body.workspace || one.workspaces.includes(body.workspace)));
        const isReranked = !!body.rerank && body.rerank !== "off";
        const wanted = { pdf: "The deposit is 1,200 euros.", excel: "January\t900", mail: "The heating is repaired on Friday.",
                         text: "Käse is not a reason to keep it." };
        const hits = documents.slice(0, body.count ?? 10).map((one, index) =>
            this.passage(one, wanted[one.format], { in_prompt: index < 2, rerank_score: isReranked ? 0.875 : null, rerank_rank: isReranked ? index + 1 : null }));
        return { query: `${body.query} (rewritten)`, hits: this.found ? hits : [], confidence: this.found ? 0.83 : 0.04, found: this.found,
                 searched: 240, reranked_by: isReranked ? "bge-reranker" : null,
                 seconds: { embed: 0.0041, words: 0.0006, vectors: 0.0009, fuse: 0.0001, rerank: isReranked ? 0.0212 : 0 } };
    }
}
