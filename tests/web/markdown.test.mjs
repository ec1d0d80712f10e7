/* Markdown in node: cutting into blocks, and HTML before it is sanitised (already harmless: the
 * renderer writes no tag and no address that the model chose). Sanitising needs a browser's parser and
 * is tested in page.test.mjs with the same corpus. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { blockToHtml, createBlockReader, toBlocks } from "../../web/src/markdown.js";
import { escapeHtml, highlight } from "../../web/src/highlight.js";
import { ATTACKS } from "./attacks.mjs";

const html = (text) => toBlocks(text).map(blockToHtml).join("");

test("a growing text changes only its last block", () => {
    const text = "# Title\n\nOne *two* three.\n\n- a\n- b\n\n```c\nint a;\n\nint b;\n```\n\nThe end.";
    const final = toBlocks(text).map(({ raw }) => raw);
    assert.equal(final.length, 5);
    for (let length = 1; length <= text.length; length++) {
        const blocks = toBlocks(text.slice(0, length)).map(({ raw }) => raw.trimEnd());
        blocks.slice(0, -1).forEach((raw, index) =>
            assert.equal(raw, final[index].trimEnd(), `at ${length}`));
    }
});

test("an open code block is code already", () => {
    assert.match(html("```py\nprint(1"), /<code>.*print/s);
});

test("what models write renders", () => {
    assert.match(html("**bold** and `code`"), /<strong>bold<\/strong> and <code>code<\/code>/);
    assert.match(html("a<br>b"), /a<br>b/);
    assert.match(html("|a|b|\n|-|-:|\n|1|2|"), /<td align="right">2<\/td>/);
    assert.match(html("- [x] done"), /☑ done/);
    assert.match(html("# One"), /^<h3>One<\/h3>/);
    assert.match(html("line\nline"), /line<br>line/);
    assert.match(html("中文**反转**之前"), /中文<strong>反转<\/strong>之前/);
});

test("formulas are kept for the maths module, money is not", () => {
    assert.match(html("so $a_1 < b^2$ holds"), /<span class="math">a_1 &#60; b\^2<\/span>/);
    assert.match(html("\\(x\\)"), /class="math">x</);
    assert.match(html("$$\nx^2\n$$"), /class="math display">x\^2</);
    assert.match(html("text\n\\[ y \\]\n"), /class="math display">y</);
    assert.doesNotMatch(html("It costs $5 and then $10 more"), /math/);
    assert.doesNotMatch(html("`$a$`"), /math/);
});

test("code is coloured where the language is known and escaped where not", () => {
    assert.match(highlight("let x;", "mjs"), /class="token keyword">let</);
    assert.equal(highlight("<b>", "no-such"), "&#60;b&#62;");
    assert.equal(highlight("<b>", "constructor"), "&#60;b&#62;");
    assert.equal(highlight("<b>", "__proto__"), "&#60;b&#62;");
    assert.equal(escapeHtml("<a href=\"x\">'&"), "&#60;a href=&#34;x&#34;&#62;&#39;&#38;");
});

test("no attack leaves the renderer as markup", () => {
    for (const attack of ATTACKS) {
        const tags = html(attack).match(/<[^>]*>/g) ?? [];
        for (const tag of tags) {
            assert.doesNotMatch(tag, /<\/?(script|iframe|object|embed|style|svg|math|form|input|base|link|meta|video|audio|template)/i, attack);
            assert.doesNotMatch(tag.replace(/ alt="[^"]*"/, ""),
                                /\son\w+\s*=|javascript:|vbscript:|data:text/i, attack);
        }
    }
});

test("a growing text is cut as the whole would be, and only at its end", () => {
    const part = "A paragraph of *some* length.\n\n- a\n- b\n\n  c\n\n```c\nint a;\n\n# no\n```\n\nHead\n---\n" +
        "> quote\nlazy\n\n|a|b|\n|-|-|\n|1|2|\n\n1. x\n\n   y\n\n$$\nx\n$$\n\n<b>z</b>\n\n***\n\n";
    const text = part.repeat(3);
    const read = createBlockReader();
    for (let length = 0; length <= text.length; length += 7) {
        const now = text.slice(0, length);
        assert.deepEqual(read(now).map(blockToHtml), toBlocks(now).map(blockToHtml), `at ${length}`);
    }
    assert.deepEqual(read("another").map(({ raw }) => raw), ["another"]);
    assert.deepEqual(read("one\r\n\r\ntwo").length, 2);
    assert.deepEqual(read("one\r\n\r\ntwo\r\n\r\nthree").length, 3);
});
