/* Mock reports: summaries, comparisons and tables over documents, what is remembered of the reader, and
 * files of everything, as the program has them, in memory. Part of mock.mjs.
 *
 * A report's question or a column's name steers it: with "slow" in it it takes a step only when step() is
 * called, with "fails" it fails at its first step; "refused" is refused. A file that begins with "broken"
 * is not taken in. */

import { Refusal } from "./mock_threads.mjs";

let counter = 0;
const STEP_MS = 15;
const QUOTES = { pdf: "The deposit is 1,200 euros.", excel: "January\t900", mail: "The heating is repaired on Friday.",
                 text: "Käse is not a reason to keep it." };

export class MockReports {
    /** @param {import("./mock_desk.mjs").MockDesk} desk @param {(name: string, data: object) => void} tell */
    constructor(desk, tell) {
        this.desk = desk;
        this.tell = tell;
        this.all = [];
        this.memories = [];
        this.requests = [];
        this.isOffered = true;
    }

    shape({ result, ...report }, isWhole) {
        return isWhole ? { ...report, result } : report;
    }

    tellOf(report) {
        this.tell("report", { report: this.shape(report) });
    }

    create(body) {
        this.requests.push(body);
        if (body.question?.includes("refused")) throw new Refusal(400, "'documents': a summary needs at least one that is ready");
        const found = [...this.desk.documents.values()].filter((one) => one.state === "ready" &&
            (body.documents ? body.documents.includes(one.id) : one.workspaces.includes(body.workspace)));
        const report = { id: `r${++counter}`, kind: body.kind, title: body.question || `${body.kind} of ${found.length}`, state: "running",
                         created: Date.now() + counter, started: Date.now(), ended: null, total: found.length + 1, done: 0, seconds_left: 12,
                         error: null, workspace: body.workspace ?? null, model: body.model ?? "smollm2",
                         documents: found.map(({ id, name }) => ({ id, name })), question: body.question ?? "",
                         columns: body.columns ?? [], result: null };
        this.all.push(report);
        this.tellOf(report);
        this.work(report);
        return { report: this.shape(report) };
    }

    isSlow({ question, columns }) {
        return question.includes("slow") || columns.some(({ name }) => name.includes("slow"));
    }

    async work(report) {
        while (!this.isSlow(report) && this.all.includes(report) && report.state !== "done" && report.state !== "failed") {
            await new Promise((resolve) => setTimeout(resolve, STEP_MS));
            if (report.state === "running") this.step(report);
        }
    }

    /** One document further; the last step ends it. */
    step(report) {
        if (report.question.includes("fails"))
            Object.assign(report, { state: "failed", ended: Date.now(), error: { code: "server_error", message: "the model ended" } });
        else if (++report.done >= report.total) Object.assign(report, { state: "done", ended: Date.now(), seconds_left: 0 });
        report.result = this.resultOf(report);
        this.tellOf(report);
    }

    resultOf({ kind, documents, columns, done }) {
        const passages = documents.slice(0, done).map(({ id }, index) => {
            const document = this.desk.documents.get(id);
            return this.desk.passage(document, QUOTES[document.format], { number: index + 1 });
        });
        if (kind === "table")
            return { passages, rows: documents.slice(0, done).map(({ id, name }, row) => ({ document: id, name,
                cells: columns.map((_, index) => (index === 0 ? { text: `value ${row + 1}`, passage: row, supported: true }
                    : row === 0 ? { text: "", passage: null, supported: false } : { text: "perhaps 7", passage: row, supported: false })) })) };
        const sentences = passages.map((one, index) => `Document **${index + 1}** says so. [${index + 1}]`);
        const text = sentences.join("\n\n");
        const citations = passages.map((_, index) => {
            const start = text.indexOf(`[${index + 1}]`);
            return { start, end: start + 3, passages: [index + 1], supported: index !== 1, score: 0.9 };
        });
        return { text, passages, citations };
    }

    find(list, id) {
        const found = list.find((one) => one.id === id);
        if (!found) throw new Refusal(404, `no '${id}'`, "not_found");
        return found;
    }

    report(method, id, body, query) {
        if (!id && method === "POST") return this.create(body);
        if (!id) {
            const [limit, start] = [Number(query.get("limit") ?? 50), Number(query.get("before") ?? 0)];
            const all = this.all.filter((one) => !query.get("workspace") || one.workspace === query.get("workspace")).reverse();
            return { reports: all.slice(start, start + limit).map((one) => this.shape(one)), next: start + limit < all.length ? start + limit : null };
        }
        const report = this.find(this.all, id);
        if (method === "GET") return this.shape(report, true);
        this.requests.push({ report: id, method, ...body });
        if (method === "DELETE") {
            this.all = this.all.filter((one) => one !== report);
            this.tell("report_deleted", { id });
            return {};
        }
        Object.assign(report, body);
        this.tellOf(report);
        return { report: this.shape(report) };
    }

    memory(method, id, body, settings) {
        if (method === "GET") return { enabled: !!settings.memory, memories: this.memories };
        if (method === "POST") return { memory: this.remember(body.text, { workspace: body.workspace ?? null, state: "kept" }) };
        if (method === "DELETE") {
            this.memories = id ? this.memories.filter((one) => one.id !== id) : [];
            this.tell("memory_deleted", { id: id ?? null });
            return {};
        }
        const memory = Object.assign(this.find(this.memories, id), body);
        this.tell("memory", { memory: { ...memory } });
        return { memory };
    }

    remember(text, fields = {}) {
        const memory = { id: `k${++counter}`, text, state: "proposed", workspace: null, thread: null, created: Date.now() + counter, ...fields };
        this.memories.push(memory);
        this.tell("memory", { memory: { ...memory } });
        return memory;
    }

    /** After an answer: it may have used what is kept, and something may be proposed. */
    answered(thread, message, question, settings) {
        if (!settings.memory) return;
        const kept = this.memories.filter(({ state }) => state === "kept");
        message.memories = kept.length ? kept.map(({ id, text }) => ({ id, text })) : null;
        const said = /^I live in .+\./.exec(question)?.[0];
        if (said) setTimeout(() => this.remember(said, { thread }), 20);
    }

    /** @returns {any} undefined: no such path */
    route(method, [what, id], query, body, settings) {
        if (!this.isOffered) return undefined;
        if (what === "reports") return this.report(method, id, body, query);
        return what === "memories" ? this.memory(method, id, body, settings) : undefined;
    }

    /** Files that come in. @returns {any} undefined: something else */
    takeIn(path, text) {
        if (path !== "/api/workspaces/import" && path !== "/api/restore") return undefined;
        this.requests.push({ path, bytes: text.length });
        if (text.startsWith("broken")) throw new Refusal(400, "the file is damaged: its sum does not fit");
        if (path === "/api/restore") return { documents: 4, threads: 2 };
        const workspace = this.desk.seedWorkspace(`From a file ${++counter}`);
        this.desk.seedDocument(workspace.id, "lease.pdf");
        this.tell("workspace", { id: workspace.id });
        return { workspace: this.desk.shape(workspace), documents: 1, threads: 0 };
    }

    /** Files that go out. @param {import("node:http").ServerResponse} response @returns {boolean} it was one */
    handOut(path, response) {
        const send = (type, name, text) => {
            response.setHeader("Content-Type", type);
            response.setHeader("Content-Disposition", `attachment; filename="${name}"`);
            response.end(text);
            return true;
        };
        const [, , what, id, format] = path.split("/");
        if (path === "/api/backup") return send("application/octet-stream", "den-2026.den-backup", "all of it");
        if (what === "workspaces" && format === "export")
            return send("application/octet-stream", `${this.find(this.desk.workspaces, id).name}.den-workspace`, "a workspace");
        if (what === "reports" && format === "csv")
            return send("text/csv", "table.csv", this.find(this.all, id).result.rows.map((row) => [row.name, ...row.cells.map(({ text }) => text)].join()).join("\n"));
        if (what === "reports" && format === "markdown")
            return send("text/markdown", "report.md", `# ${this.find(this.all, id).title}\n\n${this.find(this.all, id).result.text ?? ""}`);
        return false;
    }
}
