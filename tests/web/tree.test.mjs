/* The message tree: branches, arrows, removal, and what is sent. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as tree from "../../web/src/tree.js";

function talk(...turns) {
    const conversation = tree.createConversation({ now: 1 });
    let parent = null;
    turns.forEach((content, index) => {
        const role = index % 2 ? "assistant" : "user";
        parent = tree.addMessage(conversation, parent, { role, content, now: index }).id;
    });
    return conversation;
}
const texts = (conversation) => tree.pathOf(conversation).map(({ content }) => content);

test("an edited question is a sibling, and the arrows bring the old branch back", () => {
    const conversation = talk("q1", "a1", "q2", "a2");
    const old = tree.pathOf(conversation)[2];
    const edited = tree.addMessage(conversation, old.parent, { role: "user", content: "q2b", now: 9 });
    tree.addMessage(conversation, edited.id, { role: "assistant", content: "a2b", now: 10 });
    assert.deepEqual(texts(conversation), ["q1", "a1", "q2b", "a2b"]);
    assert.deepEqual(tree.siblingsOf(conversation, edited.id), { ids: [old.id, edited.id], index: 1 });
    tree.choose(conversation, old.id);
    assert.deepEqual(texts(conversation), ["q1", "a1", "q2", "a2"]);
});

test("the first question can branch too", () => {
    const conversation = talk("q", "a");
    tree.addMessage(conversation, null, { role: "user", content: "other", now: 5 });
    assert.deepEqual(texts(conversation), ["other"]);
    assert.equal(conversation.title, "other");
    tree.choose(conversation, conversation.roots[0]);
    assert.deepEqual(texts(conversation), ["q", "a"]);
});

test("removing a message removes what follows and shows a neighbour", () => {
    const conversation = talk("q", "a1");
    const question = tree.pathOf(conversation)[0].id;
    const second = tree.addMessage(conversation, question, { role: "assistant", content: "a2", now: 3 });
    tree.addMessage(conversation, second.id, { role: "user", content: "q2", now: 4 });
    tree.removeMessage(conversation, second.id);
    assert.deepEqual(texts(conversation), ["q", "a1"]);
    assert.equal(Object.keys(conversation.messages).length, 2);
    tree.removeMessage(conversation, question);
    assert.deepEqual(texts(conversation), []);
    assert.deepEqual(conversation.messages, {});
});

test("removing a sibling before the shown one keeps the shown one", () => {
    const conversation = talk("q", "a1");
    const [question, first] = tree.pathOf(conversation).map(({ id }) => id);
    tree.addMessage(conversation, question, { role: "assistant", content: "a2", now: 3 });
    tree.removeMessage(conversation, first);
    assert.deepEqual(texts(conversation), ["q", "a2"]);
});

test("forgetting the oldest lifts out the first turn only", () => {
    const conversation = talk("q1", "a1", "q2", "a2", "q3");
    assert.equal(tree.removeOldest(conversation), 2);
    assert.deepEqual(texts(conversation), ["q2", "a2", "q3"]);
    assert.equal(Object.keys(conversation.messages).length, 3);
    assert.equal(tree.removeOldest(talk("q1", "a1")), 0);
});

test("a question that was never answered is not sent with the next", () => {
    const conversation = talk("q1", "a1", "lost", "", "q3", "");
    const sent = tree.toRequestMessages(tree.pathOf(conversation), "be brief");
    assert.deepEqual(sent.map(({ role, content }) => `${role}:${content}`),
                     ["system:be brief", "user:q1", "assistant:a1", "user:q3"]);
});

test("an answer to be continued is sent last", () => {
    const sent = tree.toRequestMessages(tree.pathOf(talk("q1", "half an")), "  ");
    assert.deepEqual(sent, [{ role: "user", content: "q1" }, { role: "assistant", content: "half an" }]);
});

test("titles are one line, cut at a word, whole characters", () => {
    assert.equal(tree.titleFrom("  ## Hello *you*\nmore"), "Hello you");
    assert.equal(tree.titleFrom("word ".repeat(40)).length, 60);
    assert.ok(tree.titleFrom("word ".repeat(40)).endsWith("word…"));
    assert.equal(tree.titleFrom("🦊".repeat(80)), "🦊".repeat(60) + "…");
    assert.equal(tree.titleFrom(""), "");
});

test("search looks for all words in title and messages", () => {
    const conversation = talk("Tell me about Rainbows", "They need rain and sun");
    assert.ok(tree.matches(conversation, "rainbow SUN"));
    assert.ok(!tree.matches(conversation, "rainbow snow"));
    assert.ok(tree.matches(conversation, "  "));
});

test("a conversation survives being written as JSON", () => {
    const conversation = talk("q1", "a1");
    assert.deepEqual(JSON.parse(JSON.stringify(conversation)), conversation);
});
