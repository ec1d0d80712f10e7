/* Markdown in node: cutting into blocks, and the elements that come of them. The same corpus of attacks
 * runs through a browser in page.test.mjs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { drawBlock } from "../../web/src/components/prose.js";
import { toPieces } from "../../web/src/highlight.js";
import { createBlockReader, decodeEntities, toBlocks } from "../../web/src/markdown.js";
import { ATTACKS } from "./attacks.mjs";
import { serialize } from "./vnode.mjs";

const html = (text) => toBlocks(text).map((block) => serialize(drawBlock(block))).join("");

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
    assert.match(html("```py\nprint(1"), /<Code text="print\(1" name="py"/);
});

test("what models write becomes elements", () => {
    assert.match(html("**bold** and `code`"), /<strong>bold<\/strong> and <code>code<\/code>/);
    assert.match(html("a<br>b"), /a<br><\/br>b/);
    assert.match(html("H<sub>2</sub>O"), /H<sub>2<\/sub>O/);
    assert.match(html("a <b>b *c* d"), /a <b>b <em>c<\/em> d<\/b>/);
    assert.match(html("|a|b|\n|-|-:|\n|1|2|"), /<td align="right">2<\/td>/);
    assert.match(html("- [x] done\n- [ ] open"), /<li>☑ done<\/li><li>☐ open<\/li>/);
    assert.match(html("3. a\n4. b"), /<ol start=3><li>a<\/li>/);
    assert.match(html("# One"), /^<h3>One<\/h3>/);
    assert.match(html("line\nline"), /line<br><\/br>line/);
    assert.match(html("中文**反转**之前"), /中文<strong>反转<\/strong>之前/);
    assert.match(html("```mermaid\ngraph TD;\nA-->B;\n```"), /<Code text="graph TD;\\nA--&#62;B;" name="mermaid"/);
    assert.match(html("a \\* b &amp; c &lt;d&gt; &#x4e2d; &nosuch;"), /a \* b &#38; c &#60;d&#62; 中 &#38;nosuch;/);
});

test("links say where they lead, pictures become links, nothing is fetched", () => {
    const link = html("[text](https://example.org/a?b=1&amp;c=2)");
    assert.match(link, /href="https:\/\/example.org\/a\?b=1&#38;c=2"/);
    assert.match(link, /rel="noopener noreferrer nofollow"/);
    assert.match(link, /class="host"> \(example.org\)/);
    assert.doesNotMatch(html("<https://example.org/x>"), /class="host"/);
    assert.match(html("![cat](https://example.org/cat.png)"), /^<p><a href="https:\/\/example.org\/cat.png"[^<]*>Picture: cat/);
    assert.match(html("![dot](data:image/png;base64,AAAA)"), /<img src="data:image\/png;base64,AAAA" alt="dot">/);
});

test("formulas are kept for the maths module, money is not", () => {
    assert.match(html("so $a_1 < b^2$ holds"), /<Formula tex="a_1 &#60; b\^2" isDisplay=false>/);
    assert.match(html("\\(x\\)"), /<Formula tex="x" isDisplay=false>/);
    assert.match(html("$$\nx^2\n$$"), /<Formula tex="x\^2" isDisplay=true>/);
    assert.match(html("text\n\\[ y \\]\n"), /<Formula tex="y" isDisplay=true>/);
    assert.doesNotMatch(html("It costs $5 and then $10 more"), /Formula/);
    assert.doesNotMatch(html("`$a$`"), /Formula/);
});

const CODE = [
    ["c", "int main(void) { return 0; } // hi", "keyword:int function:main keyword:void keyword:return number:0 comment:// hi"],
    ["c", "/* a\nb */ char *s = \"x\\\"y\";", "comment:/* a\nb */ keyword:char string:\"x\\\"y\""],
    ["python", "def f(x):\n    \"\"\"a\n    b\"\"\"\n    return 1 # c", "keyword:def function:f string:\"\"\"a\n    b\"\"\" keyword:return number:1 comment:# c"],
    ["js", "const a = `x${1}` + /* c */ new Map()", "keyword:const string:`x${1}` comment:/* c */ keyword:new function:Map"],
    ["json", "{\"a\": [1.5, null, \"b\"]}", "property:\"a\" number:1.5 keyword:null string:\"b\""],
    ["sql", "SELECT a FROM t -- c", "keyword:SELECT keyword:FROM comment:-- c"],
    ["sh", "echo $HOME # x\nls $#", "keyword:echo comment:# x"],
    ["html", "<a href=\"x\">t</a><!-- c -->", "tag:<a property:href string:\"x\" tag:> tag:</a tag:> comment:<!-- c -->"],
    ["diff", "+ a\n- b\n c", "inserted:+ a deleted:- b"],
    ["yaml", "key: 1 # c", "property:key number:1 comment:# c"],
];
for (const [name, code, wanted] of CODE)
    test(`colours of ${name}: ${code.slice(0, 20)}`, () => {
        const pieces = toPieces(code, name);
        assert.equal(pieces.map((piece) => piece.text ?? piece).join(""), code, "no letter is lost");
        assert.equal(pieces.filter(({ kind }) => kind).map(({ kind, text }) => `${kind}:${text}`).join(" "), wanted);
    });

test("code in an unknown language, or very long, has no colour; no expression runs away", () => {
    for (const name of ["no-such", "constructor", "__proto__", ""])
        assert.deepEqual(toPieces("<b>", name), ["<b>"]);
    assert.deepEqual(toPieces("int ".repeat(20000), "c").length, 1);
    for (const text of ["\"".repeat(9999), "/*".repeat(9999), "a".repeat(20000), "'''".repeat(3333), "0x".repeat(9999), "((".repeat(9999)])
        for (const name of ["c", "python", "js", "html", "sql", "yaml", "rust", "bash", "json", "css"])
            assert.equal(toPieces(text, name).map((piece) => piece.text ?? piece).join(""), text);
});

test("no attack becomes an element or an address of its own choice", () => {
    for (const attack of ATTACKS) {
        const tags = html(attack).match(/<[^>]*>/g) ?? [];
        for (const tag of tags) {
            assert.doesNotMatch(tag, /<\/?(script|iframe|object|embed|style|svg|math|form|input|base|link|meta|video|audio|template)\b/i, attack);
            if (/^<(?:Formula|Code) /.test(tag)) continue; /* drawn from text only; in a browser: page.test.mjs */
            assert.doesNotMatch(tag.replace(/ (?:alt|text|tex|title)="(?:\\.|[^"\\])*"/g, ""),
                                /\son\w+\s*=|"\s*(?:javascript|vbscript|data:text)/i, attack);
        }
    }
});

test("character references become characters, broken ones stay", () => {
    assert.equal(decodeEntities("&lt;b&gt; &#65;&#x42; &#0; &#xD800; &#9999999; &x;"), "<b> AB \ufffd \ufffd \ufffd &x;");
});

test("a growing text is cut as the whole would be, and only at its end", () => {
    const part = "A paragraph of *some* length.\n\n- a\n- b\n\n  c\n\n```c\nint a;\n\n# no\n```\n\nHead\n---\n" +
        "> quote\nlazy\n\n|a|b|\n|-|-|\n|1|2|\n\n1. x\n\n   y\n\n$$\nx\n$$\n\n<b>z</b>\n\n***\n\n";
    const text = part.repeat(3);
    const read = createBlockReader();
    const draw = (block) => serialize(drawBlock(block));
    for (let length = 0; length <= text.length; length += 7) {
        const now = text.slice(0, length);
        assert.deepEqual(read(now).map(draw), toBlocks(now).map(draw), `at ${length}`);
    }
    assert.deepEqual(read("another").map(({ raw }) => raw), ["another"]);
    assert.deepEqual(read("one\r\n\r\ntwo").length, 2);
    assert.deepEqual(read("one\r\n\r\ntwo\r\n\r\nthree").length, 3);
});
