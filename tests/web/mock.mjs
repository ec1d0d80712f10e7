/* Mock: a stand-in for `den serve`, for working on the page without a model: it serves what
 * web/embed.py makes, with the content policy of the real server, and answers from a list. The tests of
 * rare server behaviour (an error of each kind, a stream cut off, slow prompt reading) use it too;
 * everything a real model can show is tested with the real server.
 *
 *   node tests/web/mock.mjs [port]
 *
 * The last user message steers it: "error:context", "error:401" ..., "slow", "cut", "echo:TEXT". */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
export const POLICY = "default-src 'self'; img-src 'self' data: blob:; base-uri 'none'; " +
    "frame-ancestors 'none'; form-action 'none'";
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
                ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml" };
const CONTEXT_TOKENS = 8192;

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const SAMPLE = readFileSync(join(HERE, "sample.md"), "utf8");

const ERRORS = {
    "error:context": [400, { message: "the prompt has 9001 tokens and the model's context 8192: " +
        "shorten the conversation", type: "invalid_request_error", code: "context_length_exceeded" }],
    "error:401": [401, { message: "a token is needed", type: "authentication_error", code: null }],
    "error:429": [429, { message: "256 requests wait already", type: "rate_limit_error", code: null }],
    "error:500": [500, { message: "matrix on fire", type: "server_error", code: null }],
};

function replyTo(text) {
    if (text.startsWith("echo:")) return text.slice(5);
    if (text.includes("sample")) return SAMPLE;
    return "The sky is blue because air scatters short waves of sunlight more than long ones. " +
        "Blue light reaches the eye **from every direction**, red light mostly straight from the sun.";
}

async function chat(request, response, log) {
    let body = "";
    for await (const piece of request) body += piece;
    const { messages } = JSON.parse(body);
    log.push(JSON.parse(body));
    const text = messages.filter(({ role }) => role === "user").at(-1).content;
    if (ERRORS[text]) {
        response.writeHead(ERRORS[text][0], { "Content-Type": "application/json" });
        return response.end(JSON.stringify({ error: ERRORS[text][1] }));
    }
    let isOpen = true;
    response.on("close", () => (isOpen = false));
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    const send = (object) => isOpen && response.write(`data: ${JSON.stringify(object)}\n\n`);
    const slow = text.includes("slow") ? 120 : 8;
    for (let done = 0; done <= 2048; done += 512) {
        send({ choices: [{ index: 0, delta: {} }], den: { prompt_done: done, prompt_total: 2048 } });
        await wait(slow);
        while (isOpen && text.includes("endless reading") && done === 1024) await wait(20); // until stopped
    }
    const pieces = replyTo(text).match(/[\s\S]{1,4}/g) ?? [];
    for (const [index, content] of pieces.entries()) {
        if (!isOpen) return;
        if (text.includes("cut") && index === 5) return response.destroy();
        send({ choices: [{ index: 0, delta: { content } }] });
        await wait(text.includes("slow") ? 40 : 2);
    }
    send({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }],
           den: { prompt_seconds: 0.4, generate_seconds: 1.2, prompt_tokens: 2048, cached_tokens: 512,
                  generated_tokens: pieces.length, tokens_per_s: 84.2, context_tokens: CONTEXT_TOKENS } });
    response.end("data: [DONE]\n\n");
}

/** @returns {Promise<{ url: string, requests: object[], close(): void }>} */
export async function startMock(port = 0) {
    const folder = mkdtempSync(join(tmpdir(), "den-page-"));
    execFileSync("python3", [join(HERE, "../../web/embed.py"), "--folder", folder]);
    const requests = [];
    const server = createServer((request, response) => {
        const path = request.url.split("?")[0];
        response.setHeader("Content-Security-Policy", POLICY);
        if (path === "/v1/chat/completions") return chat(request, response, requests);
        if (path === "/health") return response.end("{}");
        if (path === "/v1/models") {
            response.setHeader("Content-Type", "application/json");
            return response.end(JSON.stringify({ data: [
                { id: "smollm2", den: { context_tokens: CONTEXT_TOKENS, description: "135M Q4_1" } },
                { id: "other", den: { context_tokens: 4096, description: "1B Q8_0" } }] }));
        }
        try {
            const file = path === "/" ? "/index.html" : path;
            const data = readFileSync(join(folder, file));
            response.setHeader("Content-Type", TYPES[extname(file)] ?? "text/plain");
            response.end(data);
        } catch {
            response.writeHead(404).end("not found");
        }
    });
    await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
    return {
        url: `http://127.0.0.1:${server.address().port}`,
        requests,
        close() {
            server.closeAllConnections?.();
            server.close();
            rmSync(folder, { recursive: true, force: true });
        },
    };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const mock = await startMock(Number(process.argv[2] ?? 4329));
    console.log(mock.url);
}
