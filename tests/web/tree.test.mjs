/* The message tree: paths, siblings, branches. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as tree from "../../web/src/tree.js";

/** "q1 a1(q1) a2(q1)": names with their parents, in the order of creation. */
function messagesOf(text) {
    return new Map(text.split(" ").map((part, index) => {
        const [, id, parent = null] = /^(\w+)(?:\((\w+)\))?$/.exec(part);
        return [id, { id, parent, role: id[0] === "q" ? "user" : "assistant", content: id, created: index, seq: 0 }];
    }));
}
const MESSAGES = messagesOf("q1 a1(q1) q2(a1) a2(q2) q2b(a1) a2b(q2b) a1b(q1)");

test("the path goes from the root to the head", () => {
    assert.deepEqual(tree.pathTo(MESSAGES, "a2b").map(({ id }) => id), ["q1", "a1", "q2b", "a2b"]);
    assert.deepEqual(tree.pathTo(MESSAGES, null), []);
    assert.deepEqual(tree.pathTo(MESSAGES, "nosuch"), []);
});

test("a circle of parents ends", () => {
    const circle = messagesOf("q1(a1) a1(q1)");
    assert.equal(tree.pathTo(circle, "a1").length, 2);
});

test("siblings share a parent, in the order of creation", () => {
    const children = tree.childrenOf(MESSAGES);
    assert.deepEqual(tree.siblingsOf(children, MESSAGES.get("q2b")), { ids: ["q2", "q2b"], index: 1 });
    assert.deepEqual(tree.siblingsOf(children, MESSAGES.get("q1")), { ids: ["q1"], index: 0 });
});

test("below a sibling the branch last looked at is taken, else the newest", () => {
    const children = tree.childrenOf(MESSAGES);
    assert.equal(tree.leafBelow(children, "a1"), "a2b");
    assert.equal(tree.leafBelow(children, "a1", new Map([["a1", "q2"]])), "a2");
    assert.equal(tree.leafBelow(children, "a1", new Map([["a1", "gone"]])), "a2b");
    assert.equal(tree.leafBelow(children, ""), "a1b");
    assert.equal(tree.leafBelow(new Map(), ""), null);
});

test("a message whose parent is missing counts as a first one", () => {
    const children = tree.childrenOf(messagesOf("q1 a9(q9)"));
    assert.deepEqual(children.get(""), ["q1", "a9"]);
});

test("what hangs below is found whole", () => {
    const children = tree.childrenOf(MESSAGES);
    assert.deepEqual(tree.withDescendants(children, "a1").sort(), ["a1", "a2", "a2b", "q2", "q2b"]);
});
