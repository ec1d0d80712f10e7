/* Mock: a stand-in for `den serve`, for working on the page without a model: it serves what web/embed.py
 * makes, with the content policy of the real server, and Den's own interface from memory. The tests of
 * what the real program can't be made to do on demand (an error of each kind, slow reading, a download
 * that takes its time, a server that goes) use it; the rest is tested with the real one.
 *
 *   node tests/web/mock.mjs [port] */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { MockThreads, Refusal } from "./mock_threads.mjs";
import { MockDesk, pagePicture } from "./mock_desk.mjs";
import { MockReports } from "./mock_reports.mjs";
import { ACTIVITY, MODELS, SERVER } from "./mock_data.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
export const POLICY = "default-src 'self'; img-src 'self' data: blob:; base-uri 'none'; " +
    "frame-ancestors 'none'; form-action 'none'";
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
                ".svg": "image/svg+xml", ".png": "image/png", ".webmanifest": "application/manifest+json" };

class Mock {
    constructor() {
        this.listeners = new Set();
        this.desk = new MockDesk((name, data) => this.tell(name, data));
        this.threads = new MockThreads((name, data, thread) => this.tell(name, data, thread), this.desk);
        this.reports = new MockReports(this.desk, (name, data) => this.tell(name, data));
        this.threads.onAnswered = (thread, message, question) => this.reports.answered(thread, message, question, this.settings);
        this.models = structuredClone(MODELS);
        this.settings = {};
        this.prompts = [];
        this.tokens = [];
        this.downloads = [];
        this.requests = this.threads.requests;
        this.wantsToken = "";
        this.isDown = false;
    }

    tell(name, data, thread) {
        for (const listener of this.listeners)
            if (!thread || listener.thread === thread)
                listener.response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    }

    listen(request, response, query) {
        response.writeHead(200, { "Content-Type": "text/event-stream" });
        const listener = { response, thread: query.get("thread") };
        this.listeners.add(listener);
        response.write(`event: hello\ndata: {"now":${Date.now()}}\n\n`);
        response.on("close", () => this.listeners.delete(listener));
    }

    /** Breaks every stream, as a server does that stops. */
    hangUp() {
        for (const { response } of this.listeners) response.destroy();
    }

    folder(method, id, body) {
        const { threads } = this;
        if (method === "POST") threads.folders.push({ id: body.id, name: body.name });
        if (method === "PATCH") threads.folders.find((one) => one.id === id).name = body.name;
        if (method === "DELETE") {
            threads.folders = threads.folders.filter((one) => one.id !== id);
            for (const one of threads.threads.values()) if (one.folder === id) one.folder = null;
        }
        if (method !== "GET") this.tell("folders", { folders: threads.folders });
        return method === "GET" ? { folders: threads.folders } : threads.folders.find((one) => one.id === (id ?? body.id)) ?? {};
    }

    prompt(method, id, body) {
        if (method === "GET") return { prompts: this.prompts };
        this.prompts = this.prompts.filter((one) => one.id !== id);
        if (method !== "DELETE") this.prompts.push({ ...body, id: id ?? body.id });
        this.tell("prompts", {});
        return body ?? {};
    }

    token(method, id, body) {
        if (method === "POST") {
            this.tokens.push({ id: `t${this.tokens.length}`, name: body.name, scope: body.scope, created: Date.now(), last_used: null });
            return { ...this.tokens.at(-1), token: "den_0123456789abcdef0123456789abcdef" };
        }
        if (method === "DELETE") this.tokens = this.tokens.filter((one) => one.id !== id);
        return { tokens: this.tokens };
    }

    download(method, id, body) {
        const found = this.downloads.find((one) => one.id === id);
        if (method === "POST") {
            const made = { id: `d${this.downloads.length}`, name: body.source.split("/").at(-1), source: body.source,
                           state: "running", bytes_done: 0, bytes_total: 4e9, bytes_per_s: 25e6, seconds_left: 160, error: null };
            this.downloads.push(made);
            this.advance(made);
            return made;
        }
        if (method === "PATCH") found.state = body.state;
        if (method === "DELETE") this.downloads = this.downloads.filter((one) => one !== found);
        this.tell("downloads", { downloads: this.downloads });
        return method === "GET" ? { downloads: this.downloads } : found;
    }

    async advance(download) {
        while (this.downloads.includes(download) && download.bytes_done < 3.9e9) {
            if (download.state === "running") download.bytes_done += 5e7;
            this.tell("downloads", { downloads: this.downloads });
            await new Promise((resolve) => setTimeout(resolve, 100).unref());
        }
    }

    model(method, name, what, body) {
        if (!name) return { models: this.models, memory: { total_bytes: 16e9, free_bytes: 9.2e9, budget_bytes: 12e9 } };
        const found = this.models.find((one) => one.name === name);
        if (name === "import") {
            this.models.push({ ...this.models[0], name: "imported", title: "Imported", default: false, source: body.path });
            return this.models.at(-1);
        }
        if (method === "DELETE") found.installed = false;
        if (what === "load") found.state = "ready";
        if (what === "unload") found.state = "asleep";
        this.tell("models", {});
        return {};
    }

    /** @returns {any} the body; undefined: no such path */
    route(method, parts, query, body) {
        const [what, id, verb, mid] = parts;
        const { threads } = this;
        if (what === "threads" && !id) return method === "GET" ? threads.list(query) : threads.create(body);
        if (what === "threads" && !verb) {
            if (method === "GET") return threads.whole(id);
            return method === "PATCH" ? threads.change(id, body) : threads.remove(id);
        }
        if (what === "threads" && verb === "messages" && mid)
            return method === "PATCH" ? threads.rewrite(id, mid, body) : threads.removeMessage(id, mid);
        if (what === "threads" && verb === "documents") return threads.detach(id, mid);
        if (what === "threads" && verb === "export") return threads.find(id);
        if (what === "threads")
            return { messages: "ask", answers: "answerAgain", stop: "stop", restore: "restore", fork: "fork" }[verb]
                ? threads[{ messages: "ask", answers: "answerAgain", stop: "stop", restore: "restore", fork: "fork" }[verb]](id, body)
                : undefined;
        if (what === "folders") return this.folder(method, id, body);
        if (what === "prompts") return this.prompt(method, id, body);
        if (what === "settings") {
            if (method === "PATCH") this.tell("settings", { settings: Object.assign(this.settings, body) });
            return this.settings;
        }
        if (what === "models") return this.model(method, id, verb, body);
        if (what === "roles") {
            for (const one of this.models) if (body[one.role]) one.default = one.name === body[one.role];
            return body;
        }
        if (what === "fit") return { verdict: "tight", memory_bytes: 8.1e9, context_tokens: 8192, tokens_per_s: 6.2, why: "needs most of the free memory" };
        if (what === "downloads") return this.download(method, id, body);
        if (what === "tokens") return this.token(method, id, body);
        if (what === "server") return SERVER;
        if (what === "activity") return ACTIVITY;
        if (what === "import") return threads.importFile(body);
        if (what === "export") return { format: "den", version: 1, threads: [...threads.threads.values()] };
        if (what === "workspaces" && method === "DELETE" && !verb)
            for (const one of threads.threads.values()) if (one.workspace === id) one.workspace = null;
        return this.reports.route(method, parts, query, body, this.settings) ?? this.desk.route(method, parts, query, body);
    }

    /** Bytes in, pictures and originals out. @returns {any} undefined: something else */
    async handOver(method, path, query, text, response) {
        const { desk } = this;
        if (method === "POST" && path === "/api/documents" && desk.isOffered) {
            const reply = await desk.receive(query, text.length);
            this.threads.attach(query.get("thread"), reply.document);
            return reply;
        }
        if (method === "POST") return this.reports.takeIn(path, text);
        if (method === "GET" && this.reports.handOut(path, response)) return undefined;
        if (/\/pages\/\d+$/.test(path)) response.setHeader("Content-Type", "image/png").end(pagePicture());
        else if (/\/original$/.test(path)) response.setHeader("Content-Type", "application/octet-stream").end("original");
        return undefined;
    }

    async answer(request, response, path, query) {
        let text = "";
        for await (const piece of request) text += piece;
        response.setHeader("Content-Type", "application/json");
        try {
            if (path === "/api/login" && JSON.parse(text).token === this.wantsToken)
                return response.setHeader("Set-Cookie", "den_session=s; Path=/; HttpOnly; SameSite=Strict").end("{}");
            if (this.wantsToken && request.headers.cookie !== "den_session=s")
                throw new Refusal(401, "a token is needed");
            if (path === "/api/events") return this.listen(request, response, query);
            const done = await this.handOver(request.method, path, query, text, response);
            if (response.writableEnded) return undefined;
            const result = done ?? this.route(request.method, path.slice(5).split("/"), query, text && !done ? JSON.parse(text) : undefined);
            if (result === undefined) throw new Refusal(404, `no such path: ${path}`);
            return response.end(JSON.stringify(result));
        } catch (error) {
            if (!(error instanceof Refusal)) throw error;
            response.writeHead(error.status);
            return response.end(JSON.stringify(error.body));
        }
    }
}

/** @returns {Promise<Mock & { url: string, close(): void }>} */
export async function startMock(port = 0) {
    const folder = mkdtempSync(join(tmpdir(), "den-page-"));
    execFileSync("python3", [join(HERE, "../../web/embed.py"), "--folder", folder]);
    const mock = new Mock();
    const server = createServer((request, response) => {
        const { pathname, searchParams } = new URL(request.url, "http://den");
        if (mock.isDown) return response.destroy();
        response.setHeader("Content-Security-Policy", POLICY);
        if (pathname.startsWith("/api/")) return mock.answer(request, response, pathname, searchParams);
        if (pathname === "/health") return response.end("{}");
        try {
            const file = pathname === "/" ? "/index.html" : pathname;
            const data = readFileSync(join(folder, file));
            response.setHeader("Content-Type", TYPES[extname(file)] ?? "text/plain");
            response.end(data);
        } catch {
            response.writeHead(404).end("not found");
        }
    });
    await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
    return Object.assign(mock, {
        url: `http://127.0.0.1:${server.address().port}`,
        close() {
            server.closeAllConnections?.();
            server.close();
            rmSync(folder, { recursive: true, force: true });
        },
    });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const mock = await startMock(Number(process.argv[2] ?? 4329));
    console.log(mock.url);
}
