/* Markdown: a model's text to blocks and spans.
 *
 * marked cuts; components/prose.js makes elements. There is no HTML in between: what a model wrote is
 * never parsed as markup, so nothing has to be cleaned, and the page's policy can forbid the browser
 * to parse strings at all. Raw tags in the text are shown as text, but for a dozen without attributes.
 *
 * While an answer streams in, its text grows at the end. toBlocks() cuts it into top-level blocks
 * (paragraph, list, code ...); the page keeps one component for each and draws again only blocks whose
 * text changed, which is the last one. createBlockReader() also cuts only the end again. */

import { Marked } from "marked";

/** @typedef {import("marked").Token} Token */

/** `$...$` counts only where no space touches the inside and no digit follows, so that "$5 and $6"
 * stays money. */
const INLINE_MATH = /^(?:\$(?![\s$])((?:\\.|[^\\$\n])+?)(?<!\s)\$(?!\d)|\\\(([^\n]+?)\\\))/;
const BLOCK_MATH = /^(?:\$\$([\s\S]+?)\$\$|\\\[([\s\S]+?)\\\])[ \t]*(?:\n+|$)/;

/* What components/citations.js puts in the place of a marker: its index, and ? where the source does not
 * support the sentence. */
const CITATION = /^\ue000(\d+)(\??)\ue001/;

/** @type {import("marked").TokenizerAndRendererExtension[]} */
const extensions = [
    {
        name: "citation",
        level: "inline",
        start: (source) => source.match(/\ue000/)?.index,
        tokenizer(source) {
            const match = CITATION.exec(source);
            return match
                ? { type: "citation", raw: match[0], index: Number(match[1]), isDoubtful: match[2] !== "" } : undefined;
        },
    },
    {
        name: "inlineMath",
        level: "inline",
        start: (source) => source.match(/\$|\\\(/)?.index,
        tokenizer(source) {
            const match = INLINE_MATH.exec(source);
            return match
                ? { type: "inlineMath", raw: match[0], tex: match[1] ?? match[2] } : undefined;
        },
    },
    {
        name: "blockMath",
        level: "block",
        start: (source) => source.match(/\n(?:\$\$|\\\[)/)?.index,
        tokenizer(source) {
            const match = BLOCK_MATH.exec(source);
            return match
                ? { type: "blockMath", raw: match[0], tex: (match[1] ?? match[2]).trim() }
                : undefined;
        },
    },
];

const marked = new Marked({ gfm: true, breaks: true });
marked.use({ extensions });

/** @param {Token} token */
const isShown = (token) => token.type !== "space" && token.type !== "def";

/**
 * The top-level blocks of a text.
 * @param {string} text
 * @returns {Token[]}
 */
export function toBlocks(text) {
    return marked.lexer(text).filter(isShown);
}

/** Blocks before the last TAIL are finished: what is appended can change the last one (a list goes on,
 * a line of dashes makes its paragraph a heading) and, through blank lines, the one before. */
const TAIL = 2;

/**
 * toBlocks() for a text that grows: only its tail is cut again, so that a frame costs the same
 * however long the answer has become. A reference defined later than its use is seen by toBlocks()
 * only; the page calls that once the answer is complete.
 * @returns {(text: string) => Token[]}
 */
export function createBlockReader() {
    let before = "";
    /** @type {Token[]} */
    let tokens = [];
    return (text) => {
        const grows = before !== "" && text.startsWith(before);
        const shown = grows ? tokens.filter(isShown) : [];
        const kept = shown.length > TAIL
            ? tokens.slice(0, tokens.indexOf(shown[shown.length - TAIL])) : [];
        const offset = kept.reduce((sum, token) => sum + token.raw.length, 0);
        tokens = kept.concat(marked.lexer(text.slice(offset)));
        /* The lexer rewrites CR to LF; then lengths would not add up. */
        before = text.includes("\r") ? "" : text;
        return tokens.filter(isShown);
    };
}

/** @type {Record<string, string>} */
const NAMED = {
    amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", copy: "©", reg: "®", deg: "°",
    mdash: "—", ndash: "–", hellip: "…", times: "×", middot: "·", bull: "•", larr: "←", rarr: "→",
    laquo: "«", raquo: "»", euro: "€", le: "≤", ge: "≥", ne: "≠", plusmn: "±",
};

/** Character references in running text; unknown ones stay as they are.
 * @param {string} text
 * @returns {string} */
export function decodeEntities(text) {
    if (!text.includes("&")) return text;
    return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{2,8}));/gi, (whole, decimal, hex, name) => {
        if (name) return Object.hasOwn(NAMED, name) ? NAMED[name] : whole;
        const code = decimal ? Number(decimal) : parseInt(hex, 16);
        return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)
            ? String.fromCodePoint(code) : "\ufffd";
    });
}

const SAFE_LINK = /^(?:https?:|mailto:)/i;
const EMBEDDED_PICTURE = /^data:image\/(?:png|jpeg|gif|webp);base64,[a-z0-9+/=]+$/i;

/** @param {string} href */
export const isSafeLink = (href) => SAFE_LINK.test(href);
/** @param {string} href */
export const isEmbeddedPicture = (href) => EMBEDDED_PICTURE.test(href);

/** Where a link leads, for people. @param {string} href */
export function hostOf(href) {
    try {
        return new URL(href).host || href;
    } catch {
        return href;
    }
}

const SIMPLE_TAG =
    /^<(\/?)(br|sub|sup|kbd|mark|u|b|i|em|strong|s|del|ins|small|details|summary)\s*(\/?)>$/i;

/** What a raw tag means, or null: it is text.
 * @param {string} text
 * @returns {{ name: string, closes: boolean, isEmpty: boolean } | null} */
export function readTag(text) {
    const match = SIMPLE_TAG.exec(text);
    if (!match) return null;
    const name = match[2].toLowerCase();
    return { name, closes: match[1] === "/", isEmpty: name === "br" };
}

/** A run of raw HTML as tags and what is between. @param {string} text */
export const splitTags = (text) => text.split(/(<[^<>]*>)/).filter(Boolean);
