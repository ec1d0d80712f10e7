/* Lists that events change while they are fetched, and requests that forms mean; without a browser. */
import assert from "node:assert/strict";
import { test } from "node:test";

Object.assign(globalThis, { localStorage: { getItem: () => null, setItem() {} }, document: { hidden: true } });
const { Memories } = await import("../../web/src/views/memories.js");
const { changeDraft, draftOf, missingIn, requestOf } = await import("../../web/src/views/report_draft.js");
const { ReportsList } = await import("../../web/src/views/reports_list.js");
const { requestOfFilter } = await import("../../web/src/views/search_filter.js");

/** A page that knows what these need. */
const pageIn = (workspace = "w") => ({
    workspaces: { id: workspace, current: { documents: 3 } }, open: { messages: new Map() }, hearers: new Set(),
    changed() {}, note() {}, attempt: (work) => work().catch(() => undefined),
});

/** Answers the next requests when they are let to. */
function holdRequests() {
    const held = [];
    globalThis.fetch = (path, { method = "GET" } = {}) => new Promise((resolve) => {
        held.push({ path, method, answer: (value, status = 200) => resolve(Response.json(value, { status })) });
    });
    return held;
}
const settle = () => new Promise((resolve) => setImmediate(resolve));
const report = (id, fields = {}) => ({ id, kind: "summary", title: id, state: "running", created: 1, done: 0, total: 3, workspace: "w", ...fields });

test("reports: what was told of while the list was fetched stands above the list", async () => {
    const held = holdRequests();
    const list = new ReportsList(pageIn(), "w", () => {});
    const loading = list.load();
    list.take("report", { report: report("a", { done: 2 }) });
    list.take("report", { report: report("new", { created: 9 }) });
    list.take("report", { report: report("elsewhere", { workspace: "other" }) });
    list.take("report_deleted", { id: "gone" });
    held[0].answer({ reports: [report("a", { created: 5 }), report("gone"), report("b", { created: 4 })], next: "4" });
    await loading;
    assert.deepEqual(list.all.map(({ id }) => id), ["new", "b", "a"]);
    assert.equal(list.known.get("a").done, 2);
    const more = list.load(true);
    assert.match(held[1].path, /before=4/);
    held[1].answer({ reports: [report("c", { created: 0 })], next: null });
    await more;
    assert.equal(list.all.at(-1).id, "c");
});

test("reports: a connection that is made anew while the list is fetched fetches it once more", async () => {
    const held = holdRequests();
    const list = new ReportsList(pageIn(), "w", () => {});
    const loading = list.load();
    list.take("hello", {});
    list.take("hello", {});
    held[0].answer({ reports: [report("old")], next: null });
    await settle();
    while (held.length < 2) await settle();
    held[1].answer({ reports: [report("fresh")], next: null });
    await loading;
    assert.deepEqual([held.length, list.all.map(({ id }) => id)], [2, ["fresh"]]);
    held.length = 0;
    const refused = list.load();
    held[0].answer({ error: { message: "no such path" } }, 404);
    await refused;
    assert.equal(list.isOffered, false);
});

test("memories: events that overtake the list count; what is removed leaves the answers that were told it", async () => {
    const held = holdRequests();
    const page = pageIn();
    const memories = new Memories(page);
    const loading = memories.load();
    memories.take("memory", { memory: { id: "a", text: "new words", state: "kept", created: 1 } });
    memories.take("memory_deleted", { id: "b" });
    held[0].answer({ enabled: true, memories: [{ id: "a", text: "old", state: "proposed", created: 1 }, { id: "b", text: "b", state: "kept", created: 2 }] });
    await loading;
    assert.deepEqual(memories.of("kept").map(({ text }) => text), ["new words"]);
    page.open.messages.set("m", { memories: [{ id: "a", text: "new words" }, { id: "c", text: "c" }] });
    memories.take("memory_deleted", { id: "a" });
    assert.deepEqual(page.open.messages.get("m").memories.map(({ id }) => id), ["c"]);
    assert.equal(memories.known.size, 0);
});

test("a draft belongs to its workspace; what is missing is named; the request holds what was meant", () => {
    const page = pageIn();
    changeDraft(page, { kind: "comparison", documents: [{ id: "d1", name: "one" }] });
    assert.equal(missingIn(draftOf(page), 3), "twoDocuments");
    changeDraft(page, { documents: [{ id: "d1", name: "one" }, { id: "d2", name: "two" }], question: "  prices " });
    assert.equal(missingIn(draftOf(page), 3), "");
    assert.deepEqual(requestOf(draftOf(page)), { kind: "comparison", workspace: "w", documents: ["d1", "d2"], question: "prices" });
    changeDraft(page, { kind: "table", columns: [{ key: "1", name: " Rent ", description: "" }, { key: "2", name: "", description: "x" }] });
    assert.deepEqual(requestOf(draftOf(page)).columns, [{ name: "Rent", description: "Rent" }]);
    assert.equal(requestOf(draftOf(page)).question, undefined);
    changeDraft(page, { columns: [{ key: "1", name: " ", description: "x" }] });
    assert.equal(missingIn(draftOf(page), 3), "someColumn");
    changeDraft(page, { documents: [] });
    assert.equal(missingIn(draftOf(page), 0), "someDocument");
    page.workspaces.id = "other";
    assert.deepEqual([draftOf(page).kind, draftOf(page).documents], ["summary", []]);
    assert.equal(missingIn({ ...draftOf(page), workspace: "" }, 9), "someDocument");
});

test("a filter asks for nothing that was not chosen, and for whole days", () => {
    const none = { kind: "", tags: " , ", from: "", until: "", rerank: "auto" };
    assert.deepEqual(requestOfFilter(none), {});
    const { modified_from: from, modified_until: until, ...rest } = requestOfFilter({ kind: "pdf", tags: "a, b,", from: "2024-03-01", until: "2024-03-01", rerank: "off" });
    assert.deepEqual(rest, { formats: ["pdf"], tags: ["a", "b"], rerank: "off" });
    assert.equal(until - from, 86400000 - 1);
});
