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
 *   attachments?: Attachment[] | null, tool_calls?: ToolCall[] | null, sources?: Sources | null,
 *   memories?: { id: string, text: string }[] | null, seq: number,
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
 *   created: number, updated: number, model: string, running: boolean, preview: string,
 *   workspace?: string | null
 * }} Summary
 */

/** @typedef {Summary & { system: string, parameters: Parameters, head: string | null,
 *   documents?: AttachedDocument[] }} Thread */
/** @typedef {{ id: string, name: string }} Folder */
/** @typedef {{ id: string, name: string, text: string }} Prompt */
/** @typedef {{ done: number, total: number }} Progress */

/**
 * How documents are looked up for an answer.
 * @typedef {{ count?: number | null, budget_tokens?: number | null, diversity?: number | null,
 *   only_documents?: boolean, rewrite?: "auto" | "off" | "model" }} Retrieval
 * @typedef {{
 *   id: string, name: string, created: number, updated: number, model: string, system: string,
 *   parameters: Parameters, retrieval: Retrieval, tags: string[], documents: number, threads: number
 * }} Workspace
 */

/** @typedef {"sending" | "waiting" | "reading" | "embedding" | "ready" | "failed"} DocumentState */
/** @typedef {{ id: string, name: string, state: DocumentState }} AttachedDocument of one thread only */

/**
 * @typedef {{ code: string, message: string }} Trouble
 * @typedef {{
 *   id: string, name: string, title: string, author: string, origin: string, address: string,
 *   media_type: string, format: string, tags: string[], bytes: number, modified: number | null,
 *   created: number, updated: number, state: DocumentState, error: Trouble | null, note: string,
 *   parts: number, items: number, tokens: number, workspaces: string[], pinned?: boolean
 * }} Document
 * @typedef {{
 *   id: string, kind: string, title: string, state: string, created: number, started: number | null,
 *   ended: number | null, total: number, done: number, failed: number, skipped: number,
 *   bytes_total: number, bytes_done: number, files_per_s: number, seconds_left: number | null,
 *   error: Trouble | string | null, workspace: string | null
 * }} Job
 */

/**
 * A place in a document. `start` and `end` are bytes of the part's text.
 * @typedef {{ ordinal: number, kind: string, number: number, label: string }} Part
 * @typedef {{
 *   number?: number, document: string, name: string, title: string, format: string, part: Part,
 *   heading?: string, start: number, end: number, text: string, cosine?: number | null,
 *   bm25?: number | null, word_rank?: number, vector_rank?: number, fused?: number, in_prompt?: boolean,
 *   rerank_score?: number | null, rerank_rank?: number | null
 * }} Passage
 * @typedef {{ start: number, end: number, passages: number[], supported: boolean, score?: number }} Citation
 * @typedef {{ found: boolean, confidence: number, query: string, passages: Passage[],
 *   citations: Citation[] }} Sources what an answer stood on
 */
/**
 * Something written about documents by a job: a text with sources, or a table. `passage` counts from 0.
 * @typedef {"summary" | "comparison" | "table"} ReportKind
 * @typedef {{ name: string, description: string }} Column
 * @typedef {{ text: string, passage: number | null, supported: boolean }} Cell
 * @typedef {{ text?: string, passages?: Passage[], citations?: Citation[],
 *   rows?: { document: string, name: string, cells: Cell[] }[] }} ReportResult
 * @typedef {{
 *   id: string, kind: ReportKind, title: string, state: string, created: number, started: number | null,
 *   ended: number | null, total: number, done: number, seconds_left: number | null,
 *   error: Trouble | string | null, workspace: string | null, model: string | null,
 *   documents: { id: string, name: string }[], question: string | null, columns: Column[],
 *   result?: ReportResult | null
 * }} Report
 */
/** @typedef {{ id: string, text: string, state: "proposed" | "kept", workspace: string | null,
 *   thread: string | null, created: number }} Memory what Den knows of the reader */

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
