/* API: requests to the program. Everything that can go wrong becomes an ApiError whose `kind` the rest
 * of the page knows a remedy for. */

/** @typedef {import("./types.js").Failure} Failure */

export class ApiError extends Error {
    /**
     * @param {Failure["kind"]} kind
     * @param {string} detail the program's sentence, or the browser's
     * @param {number} status of HTTP; 0: there was no answer
     */
    constructor(kind, detail, status = 0) {
        super(detail);
        this.kind = kind;
        this.status = status;
    }
}

/** Trades the token for a cookie that no script can read; the page keeps neither.
 * @param {string} token */
export function login(token) {
    return call("POST", "/api/login", { token });
}

/** A random name that collides never. The page names what it makes, so that a request that is sent
 * again changes nothing.
 * @returns {string} */
export function createId() {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<Response>}
 */
export async function request(path, options = {}) {
    /** @type {Record<string, string>} */
    const headers = {};
    if (typeof options.body === "string") headers["Content-Type"] = "application/json";
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
export async function failureOf(response) {
    const body = await response.text().catch(() => "");
    let error = null;
    try {
        error = JSON.parse(body).error;
    } catch {
        /* not JSON: a proxy's page, say */
    }
    const { status } = response;
    return new ApiError(kindOf(status, error), error?.message || `HTTP ${status}`, status);
}

/**
 * @param {number} status
 * @param {{ code?: string | null } | null} error
 * @returns {Failure["kind"]}
 */
export function kindOf(status, error) {
    if (error?.code === "context_length_exceeded") return "context";
    if (error?.code === "model_not_found") return "model";
    if (status === 401) return "token";
    if (status === 429) return "busy";
    return status >= 500 ? "server" : "request";
}

/** The kind of an answer's own error, of which only the code is known.
 * @param {string} code
 * @returns {Failure["kind"]} */
export function kindOfCode(code) {
    if (/context/.test(code)) return "context";
    if (/model|not_found/.test(code)) return "model";
    if (/busy|rate|overload|limit/.test(code)) return "busy";
    return /invalid|request/.test(code) ? "request" : "server";
}

/**
 * A request with JSON both ways.
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<any>}
 */
export async function call(method, path, body) {
    const response = await request(path, {
        method, body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    return text ? JSON.parse(text) : null;
}

/** The failure to show for whatever was thrown.
 * @param {unknown} error
 * @returns {Failure} */
export function toFailure(error) {
    return error instanceof ApiError
        ? { kind: error.kind, detail: error.message } : { kind: "server", detail: String(error) };
}

/** True if the program answers at all. */
export async function isAlive() {
    try {
        return (await fetch("/health", { cache: "no-store" })).ok;
    } catch {
        return false;
    }
}
