/* Prose: an answer's Markdown as elements. One component for each top-level block, keyed by its place;
 * a block is drawn again only when its source changed, which while streaming is the last one.
 *
 * Nothing from elsewhere is ever fetched: a picture becomes a link, and a link says where it leads and
 * waits for a click. */

import { Component, h } from "preact";
import { useContext, useLayoutEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { CitationButtons, CitationContext, markCitations, unmark } from "./citations.js";
import { toPieces } from "../highlight.js";
import {
    createBlockReader, decodeEntities, hostOf, isEmbeddedPicture, isSafeLink, readTag, splitTags, toBlocks,
} from "../markdown.js";
import { drawMath } from "../math.js";

/** @typedef {any} Token marked's, with our own kinds */

/* A code block that is still growing is coloured only while that is cheap. */
const GROWING_CODE_MAX = 4000;

/** @param {{ text: string, language: string, isRunning: boolean, sources?: import("../types.js").Sources | null,
 *   onSource?: (number: number) => void }} props */
export function Prose({ text: written, language, isRunning, sources, onSource }) {
    const { text, markers } = markCitations(written, sources);
    const reader = useRef(/** @type {ReturnType<typeof createBlockReader> | null} */ (null));
    const whole = useRef({ text: "", blocks: /** @type {Token[]} */ ([]) });
    reader.current ??= createBlockReader();
    if (!isRunning && whole.current.text !== text) whole.current = { text, blocks: toBlocks(text) };
    const blocks = isRunning ? reader.current(text) : whole.current.blocks;
    return html`<${CitationContext.Provider} value=${{ markers, sources, open: onSource }}>
        <div class="prose">${blocks.map((block, index) =>
        html`<${Block} key=${index} block=${block} raw=${block.raw} language=${language}
            isGrowing=${isRunning && index === blocks.length - 1} />`)}</div><//>`;
}

class Block extends Component {
    /** @param {any} next */
    shouldComponentUpdate(next) {
        const before = /** @type {any} */ (this.props);
        return next.raw !== before.raw || next.language !== before.language ||
            next.isGrowing !== before.isGrowing;
    }
    render() {
        const { block, isGrowing } = /** @type {any} */ (this.props);
        return html`<div class="block" dir="auto">${drawBlock(block, isGrowing)}</div>`;
    }
}

/** @param {Token} token @param {boolean} [isGrowing] @returns {any} */
export function drawBlock(token, isGrowing = false) {
    switch (token.type) {
    case "heading": /* the page itself has h1 and h2 */
        return h(`h${Math.min(token.depth + 2, 6)}`, null, drawInline(token.tokens));
    case "paragraph":
        return html`<p>${drawInline(token.tokens)}</p>`;
    case "text":
        return drawInline(token.tokens ?? [token]);
    case "code":
        return html`<${Code} text=${token.text} name=${(token.lang ?? "").trim().split(/\s+/)[0]}
            isGrowing=${isGrowing} />`;
    case "list":
        return h(token.ordered ? "ol" : "ul", token.ordered && token.start !== 1 ? { start: token.start } : null,
                 token.items.map(drawItem));
    case "blockquote":
        return html`<blockquote>${token.tokens.map((/** @type {Token} */ one) => drawBlock(one))}</blockquote>`;
    case "table":
        return drawTable(token);
    case "hr":
        return html`<hr />`;
    case "html":
        return drawInline(splitTags(token.text).map((text) => ({ type: "html", text })));
    case "blockMath":
        return html`<${Formula} tex=${token.tex} isDisplay=${true} />`;
    case "space":
    case "def":
        return null;
    default:
        return drawInline([token]);
    }
}

/** @param {Token} item */
function drawItem(item) {
    const box = item.task ? (item.checked ? "☑ " : "☐ ") : "";
    const inner = item.tokens.filter((/** @type {Token} */ one) => one.type !== "checkbox");
    return html`<li>${box}${inner.map((/** @type {Token} */ one) => drawBlock(one))}</li>`;
}

/** @param {Token} token */
function drawTable({ header, rows }) {
    const cell = (/** @type {string} */ kind) => (/** @type {Token} */ one) =>
        h(/** @type {any} */ (kind), one.align ? { align: one.align } : null, drawInline(one.tokens));
    return html`<div class="table" tabindex="0" role="group" aria-label=${t("table")}><table>
        <thead><tr>${header.map(cell("th"))}</tr></thead>
        <tbody>${rows.map((/** @type {Token[]} */ row) => html`<tr>${row.map(cell("td"))}</tr>`)}</tbody>
    </table></div>`;
}

/** Spans; raw tags without attributes open and close elements, what is left open ends with the run.
 * @param {Token[]} tokens @returns {any[]} */
function drawInline(tokens) {
    /** @type {{ name: string, children: any[] }[]} */
    const open = [{ name: "", children: [] }];
    const top = () => open[open.length - 1];
    const close = () => {
        const { name, children } = /** @type {typeof open[number]} */ (open.pop());
        top().children.push(h(/** @type {any} */ (name), null, children));
    };
    for (const token of tokens) {
        const tag = token.type === "html" ? readTag(token.text.trim()) : null;
        if (token.type === "citation" && token.isDoubtful) doubt(top().children);
        if (!tag) top().children.push(drawSpan(token));
        else if (tag.isEmpty) top().children.push(html`<br />`);
        else if (!tag.closes) open.push({ name: tag.name, children: [] });
        else if (open.some(({ name }) => name === tag.name)) {
            while (top().name !== tag.name) close();
            close();
        } else top().children.push(token.text);
    }
    while (open.length > 1) close();
    return open[0].children;
}

/* The end of the sentence before, within a piece of text. */
const SENTENCE_END = /[.!?\u2026]["\u201d\u2019)]*\s+(?=\S)|[\u3002\uff01\uff1f](?=.)|\n/gs;

/** Marks the sentence that ends here: from the last end of one, or the marker before.
 * @param {any[]} children is changed */
function doubt(children) {
    /** @type {any[]} */
    const inner = [];
    while (children.length) {
        const child = children[children.length - 1];
        if (child?.props?.isCitation && inner.some((one) => one?.trim?.() !== "")) break;
        children.pop();
        if (typeof child !== "string") {
            inner.unshift(child);
            continue;
        }
        const end = [...child.matchAll(SENTENCE_END)].at(-1);
        const cut = end ? end.index + end[0].length : 0;
        inner.unshift(child.slice(cut));
        if (!end) continue;
        children.push(child.slice(0, cut));
        break;
    }
    const lead = typeof inner[0] === "string" ? /^\s*/.exec(inner[0])?.[0] ?? "" : "";
    if (lead) inner[0] = inner[0].slice(lead.length);
    children.push(lead, html`<span class="doubtful" title=${t("unsupported")}>${inner}</span>`);
}

/** @type {Record<string, string>} */
const SPANS = { strong: "strong", em: "em", del: "del" };

/** @param {Token} token @returns {any} */
function drawSpan(token) {
    switch (token.type) {
    case "text":
        return token.tokens ? drawInline(token.tokens) : decodeEntities(token.text);
    case "strong":
    case "em":
    case "del":
        return h(/** @type {any} */ (SPANS[token.type]), null, drawInline(token.tokens));
    case "codespan":
        return html`<code>${bare(token.text)}</code>`;
    case "citation":
        return html`<${CitationButtons} index=${token.index} isCitation=${true} />`;
    case "br":
        return html`<br />`;
    case "link":
        return drawLink(decodeEntities(token.href), drawInline(token.tokens), token.text);
    case "image":
        return drawPicture(decodeEntities(token.href), decodeEntities(token.text));
    case "checkbox":
        return token.checked ? "☑ " : "☐ ";
    case "inlineMath":
        return html`<${Formula} tex=${token.tex} isDisplay=${false} />`;
    default: /* an escaped character, a tag that is not ours: text */
        return bare(token.text ?? token.raw);
    }
}

/** @param {string} text */
const bare = (text) => (text.includes("\ue000") ? html`<${Unmarked} text=${text} />` : text);

/** Text that is no place for a marker, as it was written. @param {{ text: string }} props */
function Unmarked({ text }) {
    return unmark(text, useContext(CitationContext).markers);
}

/** @param {string} href @param {any} inner @param {string} text */
function drawLink(href, inner, text) {
    if (!isSafeLink(href)) return inner;
    const host = hostOf(href);
    return html`<a href=${href} target="_blank" rel="noopener noreferrer nofollow" title=${href}>${inner}${
        !text.includes(host) && html`<span class="host"> (${host})</span>`}</a>`;
}

/** @param {string} href @param {string} text */
function drawPicture(href, text) {
    if (isEmbeddedPicture(href)) return html`<img src=${href} alt=${text} />`;
    return drawLink(href, t("picture", { name: text || hostOf(href) }), "");
}

/** @param {{ tex: string, isDisplay: boolean }} props */
function Formula({ tex, isDisplay }) {
    const place = useRef(/** @type {Element | null} */ (null));
    useLayoutEffect(() => {
        if (place.current) drawMath(place.current, tex, isDisplay);
    }, [tex, isDisplay]);
    return isDisplay ? html`<div class="math display" ref=${place} />`
        : html`<span class="math" ref=${place} />`;
}

/** @param {{ text: string, name: string, isGrowing: boolean }} props */
function Code({ text: marked, name, isGrowing }) {
    const text = unmark(marked, useContext(CitationContext).markers);
    const pieces = isGrowing && text.length > GROWING_CODE_MAX ? [text] : toPieces(text, name);
    return html`<figure class="code">
        <figcaption><span>${name || t("codeLabel")}</span>
            <button type="button" class="copy-code">${t("copy")}</button></figcaption>
        <pre tabindex="0"><code>${pieces.map(drawPiece)}</code></pre></figure>`;
}

/** @param {import("../highlight.js").Piece} piece */
function drawPiece(piece) {
    return typeof piece === "string" ? piece : html`<span class="token ${piece.kind}">${piece.text}</span>`;
}
