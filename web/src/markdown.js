/* Markdown: a model's text to safe HTML, block by block.
 *
 * While an answer streams in, its text grows at the end. toBlocks() cuts it into top-level blocks
 * (paragraph, list, code ...); the page keeps one element for each and renders again only blocks
 * whose text changed, which is the last one. createBlockReader() also cuts only the end again.
 *
 * What a model writes is not to be trusted: it may repeat what a document told it to. Three walls:
 *   1. Raw HTML is shown as text, except a few tags without attributes (SIMPLE_TAGS).
 *   2. The result passes DOMPurify with a list of what this file itself produces.
 *   3. The page's content policy allows no inline script and no other host.
 * A picture from elsewhere would tell its host that it was looked at, so it becomes a link. */

import { Marked } from "marked";
import DOMPurify from "dompurify";
import { escapeHtml, highlight } from "./highlight.js";
import { t } from "./i18n.js";

const SIMPLE_TAGS =
    /^<\/?(?:br|sub|sup|kbd|mark|u|b|i|em|strong|s|del|ins|small|details|summary)\s*\/?>$/i;
const SAFE_LINK = /^(?:https?:|mailto:)/i;
const EMBEDDED_PICTURE = /^data:image\/(?:png|jpeg|gif|webp);base64,[a-z0-9+/=]+$/i;

const PURIFY = {
    ALLOWED_TAGS: [
        "p", "br", "hr", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "table", "thead",
        "tbody", "tr", "th", "td", "pre", "code", "span", "div", "figure", "figcaption", "button",
        "a", "img", "strong", "b", "em", "i", "u", "s", "del", "ins", "small", "sub", "sup", "kbd",
        "mark", "details", "summary",
    ],
    ALLOWED_ATTR: [
        "href", "title", "class", "start", "align", "type", "tabindex", "target", "rel", "src",
        "alt", "role", "aria-label",
    ],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    ALLOWED_URI_REGEXP: SAFE_LINK,
    /* Attributes that hold no address and need not look like one. */
    ADD_URI_SAFE_ATTR: ["align", "aria-label", "rel", "start", "tabindex", "target", "type"],
};

/** @param {string} href */
function hostOf(href) {
    try {
        return new URL(href).host;
    } catch {
        return href;
    }
}

/** @param {string} href @param {string} inner HTML */
function link(href, inner) {
    if (!SAFE_LINK.test(href)) return inner;
    return `<a href="${escapeHtml(href)}" target="_blank" rel="noopener noreferrer">${inner}</a>`;
}

/** @param {string} tex @param {boolean} display */
function mathPlaceholder(tex, display) {
    const kind = display ? "div" : "span";
    return `<${kind} class="math${display ? " display" : ""}">${escapeHtml(tex)}</${kind}>`;
}

/** `$...$` counts only where no space touches the inside and no digit follows, so that "$5 and $6"
 * stays money. */
const INLINE_MATH = /^(?:\$(?![\s$])((?:\\.|[^\\$\n])+?)(?<!\s)\$(?!\d)|\\\(([^\n]+?)\\\))/;
const BLOCK_MATH = /^(?:\$\$([\s\S]+?)\$\$|\\\[([\s\S]+?)\\\])[ \t]*(?:\n+|$)/;

/** @type {import("marked").TokenizerAndRendererExtension[]} */
const mathExtensions = [
    {
        name: "inlineMath",
        level: "inline",
        start: (source) => source.match(/\$|\\\(/)?.index,
        tokenizer(source) {
            const match = INLINE_MATH.exec(source);
            return match
                ? { type: "inlineMath", raw: match[0], tex: match[1] ?? match[2] } : undefined;
        },
        renderer: (token) => mathPlaceholder(token.tex, false),
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
        renderer: (token) => mathPlaceholder(token.tex, true),
    },
];

const marked = new Marked({
    gfm: true,
    breaks: true,
    renderer: {
        html({ text }) {
            return text
                .split(/(<[^<>]*>)/)
                .map((part) => (SIMPLE_TAGS.test(part) ? part : escapeHtml(part)))
                .join("");
        },
        code({ text, lang }) {
            const name = (lang ?? "").trim().split(/\s+/)[0];
            const label = escapeHtml(name || t("codeLabel"));
            return `<figure class="code"><figcaption><span>${label}</span>` +
                `<button type="button" class="copy-code">${escapeHtml(t("copy"))}</button>` +
                `</figcaption><pre tabindex="0"><code>${highlight(text, name)}</code></pre></figure>`;
        },
        heading({ tokens, depth }) {
            const level = Math.min(depth + 2, 6); /* the page itself has h1 and h2 */
            return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
        },
        link({ href, tokens }) {
            return link(href, this.parser.parseInline(tokens));
        },
        image({ href, text }) {
            if (EMBEDDED_PICTURE.test(href))
                return `<img src="${href}" alt="${escapeHtml(text)}">`;
            const name = t("picture", { name: text || hostOf(href) });
            return link(href, escapeHtml(name));
        },
        checkbox({ checked }) {
            return checked ? "☑ " : "☐ ";
        },
        table(token) {
            const row = (/** @type {import("marked").Tokens.TableCell[]} */ cells) =>
                `<tr>${cells.map((cell) => this.tablecell(cell)).join("")}</tr>`;
            return `<div class="table" tabindex="0" role="group" aria-label="${
                escapeHtml(t("table"))}"><table><thead>${row(token.header)}</thead><tbody>${
                token.rows.map(row).join("")}</tbody></table></div>`;
        },
    },
});
marked.use({ extensions: mathExtensions });

/** @typedef {import("marked").Token} Token */

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

/**
 * HTML of one block that is not yet sanitised. Apart from sanitising so that node can test it.
 * @param {Token} block
 * @returns {string}
 */
export function blockToHtml(block) {
    return marked.parser([block]);
}

/** @param {Token} block
 * @returns {string} safe HTML */
export function renderBlock(block) {
    return DOMPurify.sanitize(blockToHtml(block), PURIFY);
}
