/* Types: the shapes that travel between modules and to and from the program, for the type checker and
 * for readers. No code.
 *
 * A thread is a tree of messages, because editing a question or asking for another answer keeps what
 * was there (tree.js). The program owns all of it; the page holds what it shows. Times are Unix
 * milliseconds. */

/**
 * What the program measured about one answer.
 * @typedef {{
 *   prompt_seconds?: number, generate_seconds?: number, prompt_tokens?: number,
 *   cached_tokens?: number, generated_tokens?: number, tokens_per_s?: number,
 *   context_tokens?: number
 * }} Measures
 */

/**
 * Why something failed. `kind` decides the words and the remedies; `detail` is the program's own
 * sentence.
 * @typedef {{ kind: "offline" | "token" | "context" | "busy" | "model" | "request" | "server",
 *   detail: string }} Failure
 */

/** @typedef {{ name: string, text: string }} Attachment */
/** @typedef {{ id?: string, name: string, arguments: string, result?: string, error?: string }} ToolCall */

/**
 * `seq` counts the deltas that are in `content` and `reasoning`. `isUnsent` and `failure` are the
 * page's own: the program has not acknowledged the message yet, or could not be told.
 * @typedef {{
 *   id: string, parent: string | null, role: "user" | "assistant", content: string,
 *   reasoning?: string | null, created: number, model?: string | null,
 *   finish: null | "stop" | "length" | "stopped" | "error" | "tool_calls",
 *   error?: { code: string, message: string } | null, measures?: Measures | null,
 *   attachments?: Attachment[] | null, tool_calls?: ToolCall[] | null, seq: number,
 *   isUnsent?: boolean, failure?: Failure | null
 * }} Message
 */

/**
 * What is set by hand; null leaves it to the preset and the model.
 * @typedef {{
 *   preset?: string | null, temperature?: number | null, top_p?: number | null,
 *   top_k?: number | null, min_p?: number | null, max_tokens?: number | null, seed?: number | null,
 *   repeat_penalty?: number | null, frequency_penalty?: number | null,
 *   presence_penalty?: number | null, stop?: string[] | null
 * }} Parameters
 */

/**
 * @typedef {{
 *   id: string, title: string, renamed: boolean, folder: string | null, pinned: boolean,
 *   created: number, updated: number, model: string, running: boolean, preview: string
 * }} Summary
 */

/** @typedef {Summary & { system: string, parameters: Parameters, head: string | null }} Thread */
/** @typedef {{ id: string, name: string }} Folder */
/** @typedef {{ id: string, name: string, text: string }} Prompt */
/** @typedef {{ done: number, total: number }} Progress */
/** @typedef {{ thread: string, title: string, message: string | null, role: string, created: number,
 *   snippet: [string, boolean][] }} Hit */

/**
 * @typedef {{ verdict: string, memory_bytes: number, context_tokens: number, tokens_per_s: number,
 *   guess?: boolean, why: string }} Fit
 * @typedef {{
 *   name: string, title: string, role: string, license: string, parameters: number, bytes: number,
 *   modalities: string[], installed: boolean, default: boolean, state: string,
 *   context_tokens: number, fit: Fit | null, memory_bytes: number, source: string, downloadable?: boolean
 * }} Model
 * @typedef {{ id: string, name: string, source: string, state: string, bytes_done: number,
 *   bytes_total: number, bytes_per_s: number, seconds_left: number | null, error: string | null
 * }} Download
 */

export {};
