/* Highlight: code to HTML with token classes, by Prism. Colours are in css/prose.css. A language that
 * Prism's subset does not know, or a text too long to colour between two frames, is only escaped. */

import Prism from "prismjs";

const CHARACTERS_MAX = 50000;

/** Names that models write and Prism spells otherwise. @type {Record<string, string>} */
const ALIASES = {
    "c++": "cpp", cc: "cpp", h: "c", "c#": "csharp", cs: "csharp", sh: "bash", shell: "bash",
    zsh: "bash", console: "bash", js: "javascript", mjs: "javascript", jsx: "javascript",
    ts: "typescript", tsx: "typescript", py: "python", python3: "python", rs: "rust",
    golang: "go", html: "markup", xml: "markup", svg: "markup", yml: "yaml", toml: "ini",
    kt: "kotlin", make: "makefile", patch: "diff", jsonc: "json",
};

/** @param {string} text */
export function escapeHtml(text) {
    return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

/**
 * @param {string} code
 * @param {string} name as after the fence
 * @returns {string} HTML
 */
export function highlight(code, name) {
    const lower = name.toLowerCase();
    const language = ALIASES[lower] ?? lower;
    const grammar = Object.hasOwn(Prism.languages, language) ? Prism.languages[language] : null;
    if (!grammar || typeof grammar !== "object" || code.length > CHARACTERS_MAX)
        return escapeHtml(code);
    return Prism.highlight(code, grammar, language);
}
