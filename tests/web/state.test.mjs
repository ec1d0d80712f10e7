/* The page's state without a page: threads, settings, keys, templates, over an imitated fetch. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fillTemplate, fits, variablesOf } from "../../web/src/commands.js";
import { pasteAsAttachment, readFiles } from "../../web/src/files.js";
import { kindOf, kindOfCode } from "../../web/src/api.js";
import { actionOf, keysOf, pressedKeys, SHORTCUTS } from "../../web/src/keys.js";
import { toExport } from "../../web/src/moving.js";
import { DEFAULTS } from "../../web/src/settings.js";
import { snippets } from "../../web/src/views/snippets.js";

const kept = new Map();
Object.assign(globalThis, {
    localStorage: { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) },
    navigator: { platform: "Linux" }, history: { replaceState() {} }, location: { pathname: "/", hash: "" }, document: { hidden: true },
});
const { Page } = await import("../../web/src/page.js");
const { readAddress, toAddress } = await import("../../web/src/address.js");
const { OpenThread } = await import("../../web/src/thread.js");

/** Answers requests by "METHOD path" with objects, or functions of the body; the rest fails. */
function pretend(replies) {
    const calls = [];
    globalThis.fetch = async (path, { method = "GET", body } = {}) => {
        await null;
        const key = `${method} ${path}`;
        calls.push([key, body && JSON.parse(body)]);
        const reply = replies[key];
        if (reply === undefined) throw new TypeError("no connection");
        const value = typeof reply === "function" ? reply(body && JSON.parse(body)) : reply;
        return value instanceof Response ? value : Response.json(value);
    };
    return calls;
}
const message = (id, parent, role, content, more = {}) =>
    ({ id, parent, role, content, reasoning: "", created: Number(id.slice(1)), finish: "stop", seq: 0, ...more });
const FULL = { id: "t", title: "T", head: "m2", system: "", parameters: {}, model: "",
               messages: [message("m1", null, "user", "q"), message("m2", "m1", "assistant", "a")] };

async function openThread(replies = {}) {
    const calls = pretend({ "GET /api/threads/t": FULL, ...replies });
    const page = new Page(DEFAULTS, () => {});
    page.open = new OpenThread(page, "t");
    await page.open.load();
    return { page, thread: page.open, calls };
}
const shown = (thread) => thread.path.map(({ content }) => content);

test("a question is shown at once and filled in by reply and events, in whatever order they come", async () => {
    const { page, thread, calls } = await openThread({
        "POST /api/threads/t/messages": (body) => {
            page.take("message", { thread: "t", message: message("m3", body.parent, "user", body.content, { id: body.id }) });
            page.take("message", { thread: "t", message: message("m4", body.id, "assistant", "", { id: body.answer_id, finish: null }) });
            page.take("delta", { thread: "t", message: body.answer_id, text: "Hel", seq: 1 });
            return { message: message("m3", body.parent, "user", body.content, { id: body.id }),
                     answer: message("m4", body.id, "assistant", "", { id: body.answer_id, finish: null }) };
        },
    });
    const sending = thread.send("hi");
    assert.deepEqual(shown(thread), ["q", "a", "hi", ""]);
    assert.ok(thread.running);
    await sending;
    const id = thread.running.id;
    page.take("delta", { thread: "t", message: id, text: "Hel", seq: 1 });
    page.take("delta", { thread: "t", message: id, text: "lo", seq: 2 });
    page.take("delta", { thread: "other", message: id, text: "wrong", seq: 3 });
    assert.deepEqual(shown(thread), ["q", "a", "hi", "Hello"], "nothing twice, nothing lost");
    page.take("end", { thread: "t", message: message("m4", thread.path[2].id, "assistant", "Hello", { id, seq: 2 }) });
    assert.equal(thread.running, null);
    assert.equal(calls.at(-1)[1].answer_id, id);
    assert.deepEqual(page.announcement, { what: "answered", text: "Hello" });
});

test("a question that could not be delivered stays and is sent again under the same id", async () => {
    const { thread, calls } = await openThread();
    await thread.send("hi");
    const answer = thread.path.at(-1);
    assert.equal(answer.failure.kind, "offline");
    assert.equal(thread.running, null);
    pretend({ "POST /api/threads/t/messages": (body) => {
        calls.push(["again", body]);
        return { message: message("m3", "m2", "user", "hi", { id: body.id }), answer: message("m4", body.id, "assistant", "", { id: body.answer_id, finish: null }) };
    } });
    await thread.retry(answer);
    const bodies = calls.filter(([key]) => /messages|again/.test(key)).map(([, body]) => body);
    assert.equal(bodies.length, 2);
    assert.deepEqual(bodies[0], bodies[1]);
    assert.equal(thread.path.length, 4);
    assert.ok(thread.running);
});

test("what comes while the thread is fetched is applied behind it", async () => {
    const { page, thread } = await openThread();
    pretend({ "GET /api/threads/t": () => {
        page.take("delta", { thread: "t", message: "m2", text: "!", seq: 1 });
        page.take("delta", { thread: "t", message: "m2", text: "?", seq: 2 });
        return { ...FULL, messages: [FULL.messages[0], message("m2", "m1", "assistant", "a!", { seq: 1, finish: null })] };
    } });
    await thread.load();
    assert.deepEqual(shown(thread), ["q", "a!?"]);
});

test("another tab's continuation is followed, its branch elsewhere is not", async () => {
    const { page, thread } = await openThread();
    page.take("message", { thread: "t", message: message("m5", "m2", "user", "more") });
    assert.deepEqual(shown(thread), ["q", "a", "more"]);
    page.take("message", { thread: "t", message: message("m6", "m1", "assistant", "", { finish: null }) });
    assert.equal(thread.head, "m6", "an answer that is being written beside the shown one is shown");
    page.take("message", { thread: "t", message: message("m7", "m5", "assistant", "old branch") });
    assert.equal(thread.head, "m6");
    page.take("message.deleted", { thread: "t", ids: ["m6"] });
    assert.deepEqual(shown(thread), ["q", "a", "more", "old branch"]);
});

test("a thread that is not there, and one that can't be fetched, are told apart", async () => {
    const missing = await openThread({ "GET /api/threads/t": () => Response.json({ error: { message: "no" } }, { status: 404 }) });
    assert.equal(missing.thread.state, "missing");
    pretend({});
    const page = new Page(DEFAULTS, () => {});
    page.open = new OpenThread(page, "t");
    await page.open.load();
    assert.equal(page.open.state, "failed");
    assert.equal(page.isOnline, false);
});

test("addresses say what is shown", () => {
    assert.deepEqual(readAddress("#/chat/abc/m1"), { view: "chat", id: "abc", message: "m1", workspace: "" });
    assert.deepEqual(readAddress("#/settings/shortcuts"), { view: "settings", id: "shortcuts", message: "", workspace: "" });
    assert.deepEqual(readAddress(""), { view: "chat", id: "", message: "", workspace: "" });
    assert.deepEqual(readAddress("#/nosuch/x"), { view: "chat", id: "", message: "", workspace: "" });
    assert.deepEqual(readAddress("#/in/w1/"), { view: "chat", id: "", message: "", workspace: "w1" });
    const question = toAddress("search", encodeURIComponent("a/b 100 %"), "w1");
    assert.deepEqual(readAddress(question), { view: "search", id: "a/b 100 %", message: "", workspace: "w1" });
    assert.equal(toAddress("models", "", "w1"), "#/models");
});

test("failures are sorted by what can be done about them", () => {
    assert.equal(kindOf(400, { code: "context_length_exceeded" }), "context");
    assert.deepEqual([401, 404, 429, 500, 503].map((status) => kindOf(status, null)),
                     ["token", "request", "busy", "server", "server"]);
    assert.deepEqual(["context_length_exceeded", "model_not_found", "server_busy", "internal_error", "invalid_request"]
        .map(kindOfCode), ["context", "model", "busy", "server", "request"]);
});

test("shortcuts are found, changed and turned off", () => {
    const key = (text, more = {}) => ({ key: text, code: "", ctrlKey: true, metaKey: false, shiftKey: false, altKey: false, ...more });
    const settings = { shortcuts: {}, shortcutsOn: true };
    assert.equal(actionOf(key("k"), settings), "search");
    assert.equal(actionOf(key("K", { shiftKey: true }), settings), null);
    assert.equal(actionOf(key(":", { shiftKey: true, code: "Semicolon" }), settings), "copyCode");
    assert.equal(actionOf(key("k", { isComposing: true }), settings), null);
    const changed = { shortcuts: { search: "Alt+J" }, shortcutsOn: true };
    assert.equal(actionOf(key("k"), changed), null);
    assert.equal(actionOf(key("j", { ctrlKey: false, altKey: true }), changed), "search");
    assert.equal(actionOf(key("k"), { shortcuts: {}, shortcutsOn: false }), null);
    assert.equal(actionOf(key("Escape", { ctrlKey: false }), { shortcuts: {}, shortcutsOn: false }), "stop");
    assert.equal(pressedKeys(key("Control")), "");
    const all = SHORTCUTS.filter(({ action }) => action).flatMap((one) => keysOf(settings, one));
    assert.equal(new Set(all).size, all.length, "no keys have two meanings");
});

test("templates ask for each variable once", () => {
    const text = "From {{ from }} to {{to}}: {{text}} ({{to}}) {{}}";
    assert.deepEqual(variablesOf(text), ["from", "to", "text"]);
    assert.equal(fillTemplate(text, { from: "a", to: "$&", text: "{{x}}" }), "From a to $&: {{x}} ($&) {{}}");
    assert.ok(fits("Choose the model", "mod CHO"));
    assert.ok(!fits("Choose the model", "modal"));
});

test("pastes and files become attachments by length and kind", async () => {
    assert.equal(pasteAsAttachment("x".repeat(2000), "n"), null);
    assert.deepEqual(pasteAsAttachment("x".repeat(2001), "n").name, "n");
    const { attachments, refused } = await readFiles([new File(["ä"], "a.txt"), new File([new Uint8Array([0, 1])], "b.bin"),
        new File([new Uint8Array([0xff])], "c"), new File(["x".repeat(600000)], "d.txt")]);
    assert.deepEqual(attachments, [{ name: "a.txt", text: "ä" }]);
    assert.deepEqual(refused.map(({ name, why }) => `${name} ${why}`), ["b.bin binary", "c binary", "d.txt large"]);
});

test("an old chat becomes an export whose head is the branch that was shown", () => {
    const old = { id: "o", title: "t", renamed: true, created: 1, updated: 2, roots: ["a"], chosenRoot: 0, model: "m",
                  parameters: { system: "s", preset: "", temperature: 0 },
                  messages: { a: { id: "a", parent: null, role: "user", content: "q", created: 1, children: ["b", "c"], chosen: 0 },
                              c: { id: "c", parent: "a", role: "assistant", content: "2", created: 3, children: [], chosen: 0 },
                              b: { id: "b", parent: "a", role: "assistant", content: "1", created: 2, children: [], chosen: 0, finish: null } } };
    const made = toExport(old);
    assert.deepEqual([made.head, made.system, made.parameters.preset, made.parameters.temperature], ["b", "s", null, 0]);
    assert.deepEqual(made.messages.map(({ id, finish }) => `${id} ${finish}`), ["a stop", "b stop", "c stop"]);
});

test("lines to copy are quoted for their language", () => {
    const all = snippets({ address: "http://h/v1", model: "it's \"x\"", token: "t" });
    assert.match(all.curl, /'\{"model":"it'\\''s/);
    assert.match(all.curl, /-H 'Authorization: Bearer t'/);
    assert.match(all.Python, /model="it's \\"x\\""/);
});
