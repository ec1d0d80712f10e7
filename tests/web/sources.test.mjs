/* Where markers and passages lie: citations in an answer's text, passages in a part's bytes and boxes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { markCitations, unmark } from "../../web/src/components/citations.js";
import { boxesOf, byBytes, columnName, cutPieces, readBlocks, readTable } from "../../web/src/views/part_text.js";

const sourcesOf = (citations, count = 2) => ({ found: true, confidence: 1, query: "", citations,
    passages: Array.from({ length: count }, (_, index) => ({ number: index + 1 })) });
const shown = (text) => text.replace(/\ue000/g, "<").replace(/\ue001/g, ">");

test("markers are found where the program says, counted in UTF-16, and where a number names a passage", () => {
    const text = "🎉 So it is. [1] Not [3], nor [2](x), nor [2]: but [2].";
    const at = text.indexOf("[1]");
    const { text: marked, markers } = markCitations(text, sourcesOf([{ start: at, end: at + 3, passages: [1], supported: false }]));
    assert.equal(shown(marked), "🎉 So it is. <0?> Not [3], nor [2](x), nor [2]: but <1>.");
    assert.deepEqual(markers, [{ passages: [1], supported: false }, { passages: [2], supported: true }]);
    assert.equal(unmark(marked, markers), text);
});

test("one marker may name several passages; what does not fit the text is passed over", () => {
    const text = "Both say so [1][2].";
    const { text: marked, markers } = markCitations(text, sourcesOf([
        { start: 12, end: 18, passages: [1, 2], supported: true }, { start: 12, end: 99, passages: [1], supported: true },
        { start: 5, end: 5, passages: [1], supported: true }, { start: 0, end: 4, passages: [7], supported: true }]));
    assert.equal(shown(marked), "Both say so <0>.");
    assert.deepEqual(markers[0].passages, [1, 2]);
});

test("signs that a model writes itself are no markers, and without sources nothing is", () => {
    const { text, markers } = markCitations("\ue0000\ue001 and [1]", sourcesOf([]));
    assert.equal(shown(text), "\ufffd0\ufffd and <0>");
    assert.equal(markers.length, 1);
    assert.deepEqual(markCitations("see [1]", null), { text: "see [1]", markers: [] });
});

test("a passage is cut by bytes, also across letters of several", () => {
    const text = byBytes("Käse 中文 🎉 end");
    const start = Buffer.byteLength("Käse ");
    const passage = { start, end: start + Buffer.byteLength("中文 🎉") };
    assert.deepEqual(cutPieces(text, { start: 0, end: text.length }, passage),
                     [{ text: "Käse ", isMarked: false }, { text: "中文 🎉", isMarked: true }, { text: " end", isMarked: false }]);
    assert.deepEqual(cutPieces(text, { start: 0, end: 4 }, passage), [{ text: "Käs", isMarked: false }]);
    assert.deepEqual(cutPieces(text, passage, passage).map(({ isMarked }) => isMarked), [true]);
});

test("blocks are read as the program keeps them; those that do not fit are left out", () => {
    const blocks = readBlocks([["heading", 2, 0, 4, 0, 0, null, null], ["table", 0, 5, 9, 0, 0, "B2:C3", null], ["code", 0, 9, 99, 0, 0, null, null]], 10);
    assert.deepEqual(blocks.map(({ kind, level, range }) => [kind, level, range]), [["heading", 2, null], ["table", 0, "B2:C3"]]);
    assert.deepEqual(readBlocks([], 10), [{ kind: "plain", level: 0, start: 0, end: 10, range: null }]);
});

test("a sheet's table knows its columns, its rows, and which of them were meant", () => {
    const text = byBytes("é\tb\n1\t2\n3\t4\n");
    const block = { kind: "table", level: 0, start: 0, end: text.length, range: "AA9:AB11" };
    const table = readTable(text, block, { start: 5, end: 8 });
    assert.deepEqual(table.rows.map(({ cells, isMarked }) => [cells.join(), isMarked]), [["é,b", false], ["1,2", true], ["3,4", false]]);
    assert.deepEqual([table.column, table.row], [27, 9]);
    assert.deepEqual([1, 26, 27, 52, 53, 702, 703].map(columnName), ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
});

test("words of a passage become one box a line, in shares of the page", () => {
    const words = [[0, 3, 100, 100, 130, 110], [4, 8, 134, 100, 170, 110], [9, 12, 100, 120, 140, 130], [13, 15, 400, 120, 420, 130], [16, 20, 0, 0, 9, 9]];
    const boxes = boxesOf(words, { start: 4, end: 15 }, { width: 500, height: 1000 });
    assert.deepEqual(boxes.map(({ left, top }) => [left, top]), [[26.8, 10], [20, 12], [80, 12]]);
    assert.equal(boxesOf(words, { start: 0, end: 8 }, { width: 500, height: 1000 }).length, 1);
    assert.deepEqual(boxesOf(words, { start: 20, end: 30 }, { width: 500, height: 1000 }), []);
});
