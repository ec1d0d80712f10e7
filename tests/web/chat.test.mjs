/* The page's state without a page: Chat over a memory store and an imitated fetch. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Chat } from "../../web/src/chat.js";
import { chatBody, kindOf } from "../../web/src/api.js";
import { createMemoryStore } from "../../web/src/store.js";
import { PARAMETERS_UNSET } from "../../web/src/tree.js";

const SETTINGS = { theme: "system", language: "", sidebar: true, model: "", preset: "" };
const session = new Map();
Object.assign(globalThis, {
    sessionStorage: { getItem: (key) => session.get(key) ?? null, setItem: (key, value) => session.set(key, value) },
    history: { replaceState() {} },
    location: { pathname: "/", hash: "" },
    document: { hidden: true },
});

/** Answers each chat request with the next of `replies`: a list of chunks, or a function. */
function pretend(replies) {
    const bodies = [];
    globalThis.fetch = async (path, options) => {
        if (path === "/v1/models")
            return Response.json({ data: [{ id: "m", den: { context_tokens: 100, description: "d" } }] });
        bodies.push({ ...JSON.parse(options.body), authorization: options.headers.Authorization });
        const reply = replies.shift();
        if (typeof reply === "function") return reply(options);
        return new Response(reply.map((chunk) =>
            `data: ${typeof chunk === "string" ? chunk : JSON.stringify(chunk)}\n\n`).join(""));
    };
    return bodies;
}
const text = (content) => ({ choices: [{ delta: { content } }] });
const END = { choices: [{ delta: {}, finish_reason: "stop" }],
              den: { prompt_tokens: 5, generated_tokens: 2, tokens_per_s: 9, context_tokens: 100 } };

async function start(replies) {
    const bodies = pretend(replies);
    const chat = new Chat(createMemoryStore(), SETTINGS, () => {});
    await chat.start();
    return { chat, bodies };
}
const shown = (chat) => chat.path.map(({ content }) => content);

test("a question is answered, measured and kept", async () => {
    const { chat, bodies } = await start([[text("Par"), text("is."), END, "[DONE]"]]);
    await chat.send("  Capital? ");
    assert.deepEqual(shown(chat), ["Capital?", "Paris."]);
    assert.equal(chat.path[1].measures.tokens_per_s, 9);
    assert.equal(chat.path[1].finish, "stop");
    assert.deepEqual(bodies[0].messages, [{ role: "user", content: "Capital?" }]);
    assert.equal(bodies[0].model, "m");
    assert.deepEqual(bodies[0].den, { progress: true });
    const kept = await chat.store.load(chat.conversation.id);
    assert.equal(Object.values(kept.messages).length, 2);
    assert.equal(chat.summaries[0].title, "Capital?");
});

test("another answer and an edited question branch; the arrows go back", async () => {
    const { chat, bodies } = await start([[text("a1"), END], [text("a2"), END], [text("a3"), END]]);
    await chat.send("q");
    await chat.regenerate(chat.path[1].id);
    assert.deepEqual(shown(chat), ["q", "a2"]);
    await chat.edit(chat.path[0].id, "q'");
    assert.deepEqual(shown(chat), ["q'", "a3"]);
    assert.deepEqual(bodies[2].messages, [{ role: "user", content: "q'" }]);
    await chat.choose(chat.conversation.roots[0]);
    assert.deepEqual(shown(chat), ["q", "a2"]);
});

test("stopping keeps what came and offers to continue", async () => {
    const { chat, bodies } = await start([
        ({ signal }) => new Response(new ReadableStream({
            start(controller) {
                controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(text("half"))}\n\n`));
                signal.addEventListener("abort", () => controller.error(new Error("aborted")));
            },
        })),
        [text(" and half"), END],
    ]);
    const sending = chat.send("q");
    while (!chat.path[1]?.content) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.ok(chat.isAnswering);
    chat.stop();
    await sending;
    assert.equal(chat.path[1].finish, "stopped");
    assert.equal(chat.path[1].failure, null);
    await chat.continueAnswer(chat.path[1].id);
    assert.deepEqual(shown(chat), ["q", "half and half"]);
    assert.equal(bodies[1].messages.at(-1).content, "half");
});

test("failures have a kind, the server's words, and can be tried again in place", async () => {
    const body = { error: { message: "9001 tokens, 100 fit", code: "context_length_exceeded" } };
    const { chat } = await start([() => Response.json(body, { status: 400 }), [text("ok"), END]]);
    await chat.send("q");
    assert.deepEqual(chat.path[1].failure, { kind: "context", detail: "9001 tokens, 100 fit" });
    await chat.retry(chat.path[1].id);
    assert.deepEqual(shown(chat), ["q", "ok"]);
    assert.equal(chat.path[1].failure, null);
});

test("a stream that breaks off or carries an error is a failure that keeps the text", async () => {
    const { chat } = await start([[text("be")], [text("x"), { error: { message: "gone", status: 500 } }]]);
    await chat.send("q");
    assert.equal(chat.path[1].failure.kind, "offline");
    assert.equal(chat.path[1].content, "be");
    chat.isOnline = true; /* ends the waiting */
    await chat.regenerate(chat.path[1].id);
    assert.deepEqual(chat.path[1].failure, { kind: "server", detail: "gone" });
});

test("401 asks for a token, which later requests carry", async () => {
    const { chat, bodies } = await start([() => new Response("no", { status: 401 }), [text("ok"), END]]);
    await chat.send("q");
    assert.ok(chat.needsToken);
    await chat.setToken("secret");
    assert.ok(!chat.needsToken);
    await chat.retry(chat.path[1].id);
    assert.equal(bodies[1].authorization, "Bearer secret");
    session.clear();
});

test("forgetting the oldest messages asks again with less", async () => {
    const full = () => Response.json({ error: { message: "full", code: "context_length_exceeded" } }, { status: 400 });
    const { chat, bodies } = await start([[text("a1"), END], full, [text("a2"), END]]);
    await chat.send("q1");
    await chat.send("q2");
    await chat.forgetOldest(chat.path.at(-1).id);
    assert.deepEqual(shown(chat), ["q2", "a2"]);
    assert.deepEqual(bodies[2].messages, [{ role: "user", content: "q2" }]);
});

test("chats are found, renamed, deleted and brought back", async () => {
    const { chat } = await start([[text("Rain and sun"), END], [text("No"), END]]);
    await chat.send("rainbows?");
    const id = chat.conversation.id;
    chat.newChat();
    await chat.send("snow?");
    await chat.search("rain sun");
    assert.deepEqual(chat.summaries.map((one) => one.id), [id]);
    await chat.search("");
    await chat.rename(id, "Colours");
    assert.ok(chat.summaries.some(({ title }) => title === "Colours"));
    await chat.remove(id);
    assert.equal(chat.summaries.length, 1);
    await chat.undoRemove();
    assert.equal(chat.conversation.title, "Colours");
    assert.equal(chat.summaries.length, 2);
});

test("unset parameters are not sent, set ones are", () => {
    const messages = [{ role: "user", content: "q" }];
    assert.ok(!("temperature" in chatBody("m", messages, PARAMETERS_UNSET)));
    const body = chatBody("m", messages, { ...PARAMETERS_UNSET, temperature: 0, seed: 0, preset: "factual" });
    assert.equal(body.temperature, 0);
    assert.equal(body.seed, 0);
    assert.equal(body.preset, "factual");
});

test("every status has a kind", () => {
    assert.equal(kindOf(400, { code: "context_length_exceeded" }), "context");
    assert.deepEqual([400, 401, 404, 413, 429, 500, 503].map((status) => kindOf(status, null)),
                     ["request", "token", "model", "request", "busy", "server", "server"]);
});
