/* API: what the page asks of the server. The same HTTP that any OpenAI client speaks, plus one
 * extension: a request with `den: {progress: true}` is also told how much of the prompt has been
 * read, and the last chunk carries what the server measured.
 *
 * Everything that can go wrong becomes an ApiError whose `kind` the rest of the page knows a remedy
 * for. Closing the stream (the AbortSignal) is how an answer is stopped: the server notices within a
 * token. */

import { createSseParser } from "./sse.js";

/** @typedef {import("./types.js").Failure} Failure */
/** @typedef {import("./types.js").Measures} Measures */
/** @typedef {import("./types.js").Model} Model */
/** @typedef {import("./types.js").Parameters} Parameters */
/** @typedef {import("./types.js").Progress} Progress */

export class ApiError extends Error {
    /**
     * @param {Failure["kind"]} kind
     * @param {string} detail the server's sentence, or the browser's
     */
    constructor(kind, detail) {
        super(detail);
        this.kind = kind;
    }
}

const TOKEN_KEY = "den.token";

/* The token lives as long as the tab: it is a password. */
export const token = {
    get: () => sessionStorage.getItem(TOKEN_KEY) ?? "",
    /** @param {string} value */
    set: (value) => sessionStorage.setItem(TOKEN_KEY, value),
};

/**
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<Response>}
 */
async function request(path, options = {}) {
    /** @type {Record<string, string>} */
    const headers = { "Content-Type": "application/json" };
    if (token.get()) headers.Authorization = `Bearer ${token.get()}`;
    let response;
    try {
        response = await fetch(path, { ...options, headers, cache: "no-store" });
    } catch (error) {
        if (options.signal?.aborted) throw error;
        throw new ApiError("offline", String(/** @type {Error} */ (error).message));
    }
    if (!response.ok) throw await failureOf(response);
    return response;
}

/** @param {Response} response */
async function failureOf(response) {
    const body = await response.text().catch(() => "");
    let error = null;
    try {
        error = JSON.parse(body).error;
    } catch {
        /* not JSON: a proxy's page, say */
    }
    return new ApiError(kindOf(response.status, error), error?.message || `HTTP ${response.status}`);
}

/**
 * @param {number} status
 * @param {{ code?: string, type?: string } | null} error
 * @returns {Failure["kind"]}
 */
export function kindOf(status, error) {
    if (error?.code === "context_length_exceeded") return "context";
    if (status === 401) return "token";
    if (status === 404) return "model";
    if (status === 429) return "busy";
    return status >= 500 ? "server" : "request";
}

/** @returns {Promise<Model[]>} */
export async function listModels() {
    const body = await (await request("/v1/models")).json();
    return (body.data ?? []).map((/** @type {any} */ model) => ({
        id: String(model.id),
        description: String(model.den?.description ?? ""),
        contextTokens: Number(model.den?.context_tokens ?? 0),
    }));
}

/** True if the server answers at all. */
export async function isAlive() {
    try {
        return (await fetch("/health", { cache: "no-store" })).ok;
    } catch {
        return false;
    }
}

/**
 * The body of a chat request; nulls are left out, so that the model's defaults hold.
 * @param {string} model
 * @param {{ role: string, content: string }[]} messages
 * @param {Parameters} parameters
 */
export function chatBody(model, messages, parameters) {
    /** @type {Record<string, unknown>} */
    const body = {
        messages,
        stream: true,
        stream_options: { include_usage: true },
        den: { progress: true },
    };
    if (model) body.model = model;
    if (parameters.preset) body.preset = parameters.preset;
    for (const name of /** @type {const} */ (["temperature", "top_p", "max_tokens", "seed"]))
        if (parameters[name] !== null) body[name] = parameters[name];
    return body;
}

/**
 * Asks for an answer and reports it as it comes. Resolves when the server has said how it ended.
 * @param {Record<string, unknown>} body
 * @param {{ signal: AbortSignal, onText(text: string): void, onProgress(progress: Progress): void }}
 *     options
 * @returns {Promise<{ finish: "stop" | "length", measures: Measures }>}
 */
export async function streamChat(body, { signal, onText, onProgress }) {
    const response = await request("/v1/chat/completions", {
        method: "POST", body: JSON.stringify(body), signal,
    });
    /** @type {Measures} */
    let measures = {};
    /** @type {string | null} */
    let finish = null;
    const parser = createSseParser((data) => {
        if (data === "[DONE]") return;
        const chunk = JSON.parse(data);
        if (chunk.error)
            throw new ApiError(kindOf(chunk.error.status ?? 500, chunk.error), chunk.error.message);
        const choice = chunk.choices?.[0];
        if (chunk.den?.prompt_total !== undefined)
            onProgress({ done: chunk.den.prompt_done, total: chunk.den.prompt_total });
        if (choice?.delta?.content) onText(choice.delta.content);
        if (choice?.finish_reason) {
            finish = choice.finish_reason;
            measures = { ...measures, ...chunk.den };
        }
        if (chunk.usage)
            measures = { prompt_tokens: chunk.usage.prompt_tokens,
                         generated_tokens: chunk.usage.completion_tokens, ...measures };
    });
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    try {
        for (;;) {
            const { done, value } = await reader.read();
            if (done) break;
            parser.push(value);
        }
        parser.end();
    } catch (error) {
        if (error instanceof ApiError || signal.aborted) throw error;
        throw new ApiError("offline", String(/** @type {Error} */ (error).message));
    } finally {
        reader.cancel().catch(() => {});
    }
    if (finish === null) throw new ApiError("offline", "the stream ended before the answer did");
    return { finish: finish === "length" ? "length" : "stop", measures };
}
