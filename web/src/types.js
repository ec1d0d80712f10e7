/* Types: the shapes that travel between modules, for the type checker and for readers. No code.
 *
 * A conversation is a tree of messages, because editing a question or asking for another answer
 * keeps what was there (tree.js). The store keeps whole conversations (store.js); the server keeps
 * none. */

/**
 * What the server measured about one answer; it sends it with the last chunk.
 * @typedef {{
 *   prompt_seconds?: number, generate_seconds?: number, prompt_tokens?: number,
 *   cached_tokens?: number, generated_tokens?: number, tokens_per_s?: number,
 *   context_tokens?: number
 * }} Measures
 */

/**
 * Why an answer failed. `kind` decides the words and the remedies; `detail` is the server's own
 * sentence.
 * @typedef {{ kind: "offline" | "token" | "context" | "busy" | "model" | "request" | "server",
 *   detail: string }} Failure
 */

/**
 * @typedef {{
 *   id: string, parent: string | null, children: string[], chosen: number,
 *   role: "user" | "assistant", content: string, created: number,
 *   model?: string, measures?: Measures, failure?: Failure | null,
 *   finish?: "stop" | "length" | "stopped" | null
 * }} Message
 */

/**
 * `preset` and what is set by hand; null leaves it to the preset and the model.
 * @typedef {{
 *   system: string, preset: "" | "creative" | "factual" | "classify",
 *   temperature: number | null, top_p: number | null, max_tokens: number | null,
 *   seed: number | null
 * }} Parameters
 */

/**
 * @typedef {{
 *   id: string, title: string, renamed: boolean, created: number, updated: number,
 *   roots: string[], chosenRoot: number, messages: Record<string, Message>,
 *   model: string, parameters: Parameters
 * }} Conversation
 */

/** @typedef {{ id: string, title: string, updated: number }} Summary */

/** @typedef {{ id: string, description: string, contextTokens: number }} Model */

/** @typedef {{ done: number, total: number }} Progress */

export {};
