/* Part text: a page's, sheet's or mail's text as its blocks, with the bytes of a passage marked. Offsets
 * are bytes of UTF-8; the text is cut as bytes and decoded piece by piece. Of a long part only what is
 * around the passage is drawn, and more when it is asked for. */

/** @typedef {{ kind: string, level: number, start: number, end: number, range: string | null }} Block */
/** @typedef {{ text: string, isMarked: boolean }} Piece */
/** @typedef {{ start: number, end: number }} Range */

const KINDS = ["paragraph", "heading", "list", "table", "code", "note"];

/** A text that can be cut at bytes. @param {string} text */
export function byBytes(text) {
    const bytes = new TextEncoder().encode(text);
    const decoder = new TextDecoder();
    return {
        length: bytes.length,
        /** @param {number} start @param {number} end */
        slice: (start, end) => decoder.decode(bytes.subarray(Math.max(0, start), Math.max(0, end))),
    };
}

/** The blocks of a part; a text without any is one. They are arrays as the program keeps them.
 * @param {any[]} blocks @param {number} length of the text in bytes
 * @returns {Block[]} */
export function readBlocks(blocks, length) {
    const read = (blocks ?? []).map((one) => {
        if (!Array.isArray(one)) return { level: 0, range: null, ...one };
        const [kind, level, start, end, , , range] = one;
        return { kind: typeof kind === "number" ? KINDS[kind] : kind, level, start, end, range: range ?? null };
    }).filter(({ start, end }) => start < end && end <= length);
    return read.length ? read : [{ kind: "plain", level: 0, start: 0, end: length, range: null }];
}

/** A stretch cut where the passage begins and ends.
 * @param {ReturnType<typeof byBytes>} text @param {Range} stretch @param {Range | null} passage
 * @returns {Piece[]} */
export function cutPieces(text, { start, end }, passage) {
    if (!passage || passage.end <= start || passage.start >= end || passage.start >= passage.end)
        return [{ text: text.slice(start, end), isMarked: false }];
    const from = Math.max(start, passage.start);
    const to = Math.min(end, passage.end);
    return [{ text: text.slice(start, from), isMarked: false }, { text: text.slice(from, to), isMarked: true },
            { text: text.slice(to, end), isMarked: false }].filter((one) => one.text);
}

/** @param {string} letters "A" is 1 */
const columnOf = (letters) => [...letters.toUpperCase()].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0);

/** @param {number} column from 1 */
export function columnName(column) {
    let name = "";
    for (let rest = column; rest > 0; rest = Math.floor((rest - 1) / 26))
        name = String.fromCharCode(65 + ((rest - 1) % 26)) + name;
    return name;
}

/** A table: its rows of cells, which of them the passage touches, and where its first cell lies in a sheet.
 * @param {ReturnType<typeof byBytes>} text @param {Block} block @param {Range | null} passage */
export function readTable(text, block, passage) {
    const match = /^([A-Z]+)(\d+)/i.exec(block.range ?? "");
    const encoder = new TextEncoder();
    let at = block.start;
    const rows = text.slice(block.start, block.end).replace(/\n$/, "").split("\n").map((line) => {
        const start = at;
        at += encoder.encode(line).length + 1;
        return { cells: line.split("\t"), isMarked: !!passage && passage.start < at - 1 && passage.end > start };
    });
    return { rows, column: match ? columnOf(match[1]) : 0, row: match ? Number(match[2]) : 0 };
}

/** Boxes of the words in a passage, joined along each line, as shares of the page.
 * @param {number[][]} words [start, end, left, top, right, bottom] @param {Range} passage
 * @param {{ width: number, height: number }} page
 * @returns {{ left: number, top: number, width: number, height: number }[]} */
export function boxesOf(words, { start, end }, { width, height }) {
    /** @type {{ left: number, top: number, right: number, bottom: number }[]} */
    const lines = [];
    for (const [from, to, left, top, right, bottom] of words) {
        if (to <= start || from >= end) continue;
        const last = lines.at(-1);
        const middle = (top + bottom) / 2;
        const gap = (bottom - top) * 1.5;
        if (last && middle > last.top && middle < last.bottom && left >= last.left && left - last.right < gap) {
            last.right = Math.max(last.right, right);
            last.top = Math.min(last.top, top);
            last.bottom = Math.max(last.bottom, bottom);
        } else lines.push({ left, top, right, bottom });
    }
    return lines.map(({ left, top, right, bottom }) => ({
        left: (100 * left) / width, top: (100 * top) / height,
        width: (100 * (right - left)) / width, height: (100 * (bottom - top)) / height,
    }));
}
