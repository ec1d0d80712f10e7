/* The event stream parser, with every cut in two and in single bytes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createSseParser } from "../../web/src/sse.js";

const encoder = new TextEncoder();

function parse(pieces) {
    const events = [];
    const parser = createSseParser((data, name) => events.push(name === "message" ? data : `${name}=${data}`));
    for (const piece of pieces) parser.push(piece);
    parser.end();
    return events;
}

const CASES = [
    ["data: one\n\ndata: two\n\n", ["one", "two"]],
    ["data: one\r\n\r\ndata: two\r\n\r\n", ["one", "two"]],
    ["data: one\r\rdata: two\r\r", ["one", "two"]],
    [": keep-alive\n\ndata: x\nid: 7\nevent: message\nretry: 3\n\n", ["x"]],
    ["data: a\ndata: b\n\n", ["a\nb"]],
    ["data:\n\ndata\n\n", ["", ""]],
    ["data:  two spaces\n\n", [" two spaces"]],
    ["data: {\"content\":\"日本 🦊 é\"}\n\n", ["{\"content\":\"日本 🦊 é\"}"]],
    ["event: delta\ndata: x\n\ndata: y\n\nevent: end\n\ndata: z\n\n", ["delta=x", "y", "z"]],
    ["data: complete\n\ndata: not complete\n", ["complete"]],
    ["", []],
];

test("every event stream is read the same wherever it is cut", () => {
    for (const [text, expected] of CASES) {
        const bytes = encoder.encode(text);
        assert.deepEqual(parse([bytes]), expected, text);
        assert.deepEqual(parse([...bytes].map((byte) => Uint8Array.of(byte))), expected, text);
        for (let cut = 0; cut <= bytes.length; cut++)
            assert.deepEqual(parse([bytes.slice(0, cut), bytes.slice(cut)]), expected,
                             `${JSON.stringify(text)} cut at ${cut}`);
    }
});
