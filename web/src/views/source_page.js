/* Source page: a part of a document as it looks: the picture of a page with the cited words marked, a
 * table of a sheet with its letters and numbers, else its text in blocks. What is marked is scrolled to. */

import { useEffect, useRef, useState } from "preact/hooks";
import { h } from "preact";
import { html } from "../html.js";
import { t } from "../later_words.js";
import { boxesOf, byBytes, columnName, cutPieces, readBlocks, readTable } from "./part_text.js";

/** @typedef {import("./part_text.js").Range} Range */
/** @typedef {{ kind: string, number: number, label: string, width: number, height: number, scanned: boolean,
 *   text: string, blocks: any[], words: number[][] }} FullPart */

const PICTURE_PX = 1000;
/* Blocks, or rows of a table, drawn on each side of the passage at first. */
const AROUND = 60;

/** @param {{ document: string, part: FullPart, passage: Range | null, name: string }} props */
export function SourcePage({ document: id, part, passage, name }) {
    const place = useRef(/** @type {HTMLElement | null} */ (null));
    const [hasPicture, setPicture] = useState(part.width > 0 && part.height > 0);
    const scroll = () => place.current?.querySelector("mark, .word-box")?.scrollIntoView({ block: "center" });
    useEffect(scroll, [part, passage?.start, hasPicture]);
    const text = html`<${PartText} part=${part} passage=${passage} />`;
    return html`<div class="source-page" ref=${place}>${hasPicture
        ? html`<${Picture} id=${id} part=${part} passage=${passage} name=${name} onLoad=${scroll}
                onFail=${() => setPicture(false)} />
            ${part.scanned && html`<p class="note">${t("wasScanned")}</p>`}
            <details><summary>${t("textOfPage")}</summary>${text}</details>`
        : text}</div>`;
}

/** @param {{ id: string, part: FullPart, passage: Range | null, name: string, onLoad(): void, onFail(): void }} props */
function Picture({ id, part, passage, name, onLoad, onFail }) {
    const boxes = passage && passage.end > passage.start ? boxesOf(part.words ?? [], passage, part) : [];
    return html`<div class="page-picture" style=${{ aspectRatio: `${part.width} / ${part.height}` }}>
        <img src=${`/api/documents/${encodeURIComponent(id)}/pages/${part.number}?width=${PICTURE_PX}`}
            alt=${t("pageOf", { name, number: part.number })} onLoad=${onLoad} onError=${onFail} />
        ${boxes.map((box, index) => html`<span key=${index} class="word-box" style=${{
            left: `${box.left}%`, top: `${box.top}%`, width: `${box.width}%`, height: `${box.height}%` }} />`)}</div>`;
}

/** @param {{ part: FullPart, passage: Range | null }} props */
function PartText({ part, passage }) {
    const text = byBytes(part.text);
    const blocks = readBlocks(part.blocks, text.length);
    const first = passage ? Math.max(0, blocks.findIndex(({ end }) => end > passage.start)) : 0;
    const [around, setAround] = useState(AROUND);
    const from = Math.max(0, first - around);
    const to = Math.min(blocks.length, first + around);
    const more = html`<button type="button" class="button" onClick=${() => setAround(around * 4)}>${t("showMore")}</button>`;
    return html`<div class="part-text" dir="auto" tabindex="0" role="group" aria-label=${t("textOfPage")}>
        ${from > 0 && more}
        ${blocks.slice(from, to).map((block) => html`<${Block} key=${block.start} text=${text} block=${block} passage=${passage} />`)}
        ${to < blocks.length && more}</div>`;
}

/** @param {{ text: ReturnType<typeof byBytes>, block: import("./part_text.js").Block, passage: Range | null }} props */
function Block({ text, block, passage }) {
    if (block.kind === "table") return html`<${Table} text=${text} block=${block} passage=${passage} />`;
    const inner = cutPieces(text, block, passage).map((one) => (one.isMarked ? html`<mark>${one.text}</mark>` : one.text));
    if (block.kind === "heading") return h(`h${Math.min(6, 2 + (block.level || 1))}`, null, inner);
    if (block.kind === "code" || block.kind === "plain") return html`<pre class=${block.kind}>${inner}</pre>`;
    return html`<p class="part-${block.kind}">${inner}</p>`;
}

/** @param {{ text: ReturnType<typeof byBytes>, block: import("./part_text.js").Block, passage: Range | null }} props */
function Table({ text, block, passage }) {
    const [around, setAround] = useState(AROUND);
    const { rows, column, row } = readTable(text, block, passage);
    const first = Math.max(0, rows.findIndex(({ isMarked }) => isMarked));
    const from = Math.max(0, first - around);
    const to = Math.min(rows.length, first + around);
    const width = Math.max(...rows.slice(from, to).map(({ cells }) => cells.length));
    const more = html`<button type="button" class="button" onClick=${() => setAround(around * 4)}>${t("showMore")}</button>`;
    return html`${from > 0 && more}<div class="table" tabindex="0" role="group" aria-label=${block.range || t("table")}><table>
        ${block.range && html`<caption>${block.range}</caption>`}
        ${column > 0 && html`<thead><tr><td />${Array.from({ length: width }, (_, index) => html`
            <th scope="col">${columnName(column + index)}</th>`)}</tr></thead>`}
        <tbody>${rows.slice(from, to).map(({ cells, isMarked }, index) => html`<tr class=${isMarked ? "marked" : ""}>
            ${row > 0 && html`<th scope="row">${row + from + index}</th>`}
            ${cells.map((cell) => html`<td>${isMarked ? html`<mark>${cell}</mark>` : cell}</td>`)}</tr>`)}</tbody>
    </table></div>${to < rows.length && more}`;
}
