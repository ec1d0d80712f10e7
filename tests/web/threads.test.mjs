/* Threads in Chromium against the mock: the list, its folders, search, branches, two tabs, a program that
 * goes and comes back, old chats of this browser. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, ask, checkAccessibility, focused } from "./browser.mjs";
import { choose, seedThread, useMock } from "./harness.mjs";

const state = useMock();
const { withPage } = state;
const row = (page, name) => page.locator(".chat-row", { hasText: name });
const menuOf = (page, name) => page.locator(".sidebar").getByRole("button", { name: `Chat “${name}”` });

/** Chooses from the menu of a chat in the list. */
async function act(page, name, item) {
    await menuOf(page, name).press("Enter"); /* the row may move under a mouse */
    await page.getByRole("menuitem", { name: item }).click();
}

test("chats are renamed, pinned, deleted and brought back from the list", async () => {
    await withPage({}, async (page) => {
        await ask(page, "first chat");
        await answered(page);
        await act(page, "first chat", "Rename");
        await page.keyboard.type("Sky");
        await page.keyboard.press("Enter");
        await row(page, "Sky").waitFor();
        await focused(page, "chat-name");
        await act(page, "Sky", "Pin");
        await page.getByRole("region", { name: "Pinned" }).or(page.locator("section[aria-label=Pinned]")).getByText("Sky").waitFor();
        await act(page, "Sky", "Delete chat");
        await page.locator(".welcome").waitFor();
        await row(page, "Sky").waitFor({ state: "detached" });
        await page.getByRole("button", { name: "Undo" }).click();
        await row(page, "Sky").waitFor();
        await page.locator(".question").waitFor();
        await act(page, "Sky", "Unpin");
        await page.locator("section[aria-label=Pinned]").waitFor({ state: "detached" });
    });
});

test("folders: made, filled by menu and by dragging, renamed, removed without their chats", async () => {
    seedThread(state.mock, { id: "fa", title: "alpha thread" });
    seedThread(state.mock, { id: "fb", title: "beta thread" });
    await withPage({}, async (page) => {
        await page.getByRole("button", { name: "New folder" }).click();
        await page.keyboard.type("Work");
        await page.keyboard.press("Enter");
        await page.locator(".folder", { hasText: "Work" }).waitFor();
        await act(page, "alpha thread", "Move to folder");
        await page.locator("dialog").getByRole("button", { name: "Work" }).click();
        await page.locator(".inside").getByText("alpha thread").waitFor();
        await row(page, "beta thread").dragTo(page.locator(".folder", { hasText: "Work" }));
        await page.locator(".inside").getByText("beta thread").waitFor();
        assert.equal(state.mock.threads.find("fb").folder, state.mock.threads.folders[0].id);
        await checkAccessibility(page, "sidebar with a folder");
        await page.locator(".folder").hover();
        await choose(page, "Folder “Work”", "Rename");
        await page.keyboard.type("Play");
        await page.keyboard.press("Enter");
        await page.locator(".folder", { hasText: "Play" }).hover();
        await choose(page, "Folder “Play”", "Delete folder, keep its chats");
        await page.locator(".folder").waitFor({ state: "detached" });
        await row(page, "alpha thread").waitFor();
    });
});

test("a long list is fetched as it is scrolled", async () => {
    for (let index = 0; index < 120; index++)
        seedThread(state.mock, { id: `l${index}`, title: `listed ${index}`, updated: Date.now() - 2e8 - index * 1000 });
    await withPage({}, async (page) => {
        await row(page, "listed 0").first().waitFor();
        const count = () => page.locator(".chat-row").count();
        assert.ok(await count() < 70);
        while (await page.locator(".chats > .nothing").count())
            await page.locator(".chats").evaluate((box) => (box.scrollTop = box.scrollHeight));
        await row(page, "listed 119").waitFor();
        assert.ok(await count() >= 120);
    });
    for (let index = 0; index < 120; index++) state.mock.threads.threads.delete(`l${index}`);
});

test("Ctrl+K finds words in any message, goes there, and runs commands", async () => {
    seedThread(state.mock, { id: "found", title: "Lighthouses", turns: 60,
                             text: (index) => (index === 12 ? "the keeper saw a walrus at dawn" : `line ${index}\n\n`.repeat(5)) });
    await withPage({}, async (page) => {
        await page.locator(".chat-row").first().waitFor();
        await page.keyboard.press("Control+K");
        await checkAccessibility(page, "palette");
        await page.keyboard.type("walrus");
        await page.getByRole("option", { name: /Lighthouses/ }).waitFor();
        assert.equal(await page.locator(".palette mark").innerText(), "walrus");
        await page.keyboard.press("Enter");
        const place = page.locator(".answer", { hasText: "walrus at dawn" });
        await place.waitFor();
        await page.waitForFunction(() => {
            const box = document.querySelector(".answer.found")?.getBoundingClientRect();
            return box && box.top > -20 && box.top < innerHeight;
        });
        await page.keyboard.press("Control+K");
        await page.keyboard.type("nowhere at all");
        await page.getByText("No chat and no document holds these words").waitFor();
        await page.locator(".palette input").fill("> activity");
        await page.getByRole("option", { name: "Activity" }).waitFor();
        await page.keyboard.press("Enter");
        await page.getByRole("heading", { name: "Activity" }).waitFor();
    });
});

test("edited questions and second answers branch, arrows go between them, a fork is a chat of its own", async () => {
    await withPage({}, async (page) => {
        await ask(page, "echo:one");
        await answered(page);
        await page.getByRole("button", { name: "Answer again" }).click();
        await page.locator(".answer .siblings", { hasText: "2/2" }).waitFor();
        await answered(page);
        await focused(page, "composer");
        await page.locator(".answer").getByRole("button", { name: "Previous version" }).click();
        await page.locator(".answer .siblings", { hasText: "1/2" }).waitFor();
        await page.keyboard.press("Escape");
        await focused(page, "composer");
        await page.keyboard.press("ArrowUp");
        await page.locator(".editor").fill("echo:two");
        await page.keyboard.press("Enter");
        await page.locator(".question .siblings", { hasText: "2/2" }).waitFor();
        await answered(page);
        assert.equal(await page.locator(".prose").innerText(), "two");
        await page.locator(".question").hover();
        await page.locator(".question").getByRole("button", { name: "Previous version" }).click();
        await page.locator(".prose", { hasText: "one" }).waitFor();
        await page.locator(".answer .siblings", { hasText: "1/2" }).waitFor();
        const before = page.url();
        await page.locator(".answer").getByRole("button", { name: "More" }).click();
        await page.getByRole("menuitem", { name: "New chat from here" }).click();
        await page.waitForFunction((url) => location.href !== url, before);
        await page.locator(".prose", { hasText: "one" }).waitFor();
        assert.equal(await page.locator(".siblings").count(), 0);
    });
});

test("an answer is edited in place; a message is deleted with what follows", async () => {
    await withPage({}, async (page) => {
        await ask(page, "echo:wrnog");
        await answered(page);
        await page.locator(".answer").getByRole("button", { name: "More" }).click();
        await page.getByRole("menuitem", { name: "Edit this answer" }).click();
        await page.locator(".editor").fill("right");
        await page.getByRole("button", { name: "Save" }).click();
        await page.locator(".prose", { hasText: "right" }).waitFor();
        await page.locator(".question").hover();
        await page.locator(".question").getByRole("button", { name: "More" }).click();
        await page.getByRole("menuitem", { name: "Delete this message" }).click();
        await page.locator(".welcome").waitFor();
    });
});

test("an answer goes on while the page is left, and is there on return; another tab sees it live", async () => {
    await withPage({}, async (page) => {
        await ask(page, "slow endless");
        await page.locator(".answer.running .prose").waitFor();
        const url = page.url();
        await page.goto("about:blank");
        const other = await page.context().newPage();
        await other.goto(url);
        await other.locator(".answer.running .prose").waitFor();
        const before = (await other.locator(".prose").innerText()).length;
        await page.goto(url);
        await page.waitForFunction((length) => document.querySelector(".prose")?.innerText.length > length + 20, before);
        await other.waitForFunction((length) => document.querySelector(".prose")?.innerText.length > length + 20, before);
        await page.getByRole("button", { name: "Stop" }).click();
        await answered(page);
        await answered(other);
        assert.equal(await page.locator(".prose").innerText(), await other.locator(".prose").innerText());
        await other.locator("#composer").fill("echo:from the other tab");
        await other.keyboard.press("Enter");
        await page.locator(".prose", { hasText: "from the other tab" }).waitFor();
        await other.close();
    });
});

test("a program that goes is noticed, what is written waits, and all is caught up when it is back", async () => {
    await withPage({}, async (page) => {
        await ask(page, "echo:before");
        await answered(page);
        state.mock.isDown = true;
        state.mock.hangUp();
        await page.locator(".banner", { hasText: "den serve" }).waitFor();
        await ask(page, "echo:while it was away");
        const failure = page.locator(".failure", { hasText: "could not be delivered" });
        await failure.waitFor();
        seedThread(state.mock, { id: "meanwhile", title: "made meanwhile" });
        state.mock.isDown = false;
        await page.locator(".banner").waitFor({ state: "detached" });
        await row(page, "made meanwhile").waitFor();
        await failure.getByRole("button", { name: "Try again" }).click();
        await page.locator(".prose", { hasText: "while it was away" }).waitFor();
        await answered(page);
        const thread = [...state.mock.threads.threads.values()].find(({ title }) => title === "echo:before");
        assert.equal(thread.messages.length, 4, "nothing is there twice");
    });
});

test("chats that this browser kept are moved to the program once", async () => {
    await withPage({}, async (page) => {
        await page.evaluate(() => new Promise((resolve) => {
            localStorage.removeItem("den.moved");
            const request = indexedDB.open("den", 1);
            request.onupgradeneeded = () => request.result.createObjectStore("conversations", { keyPath: "id" });
            request.onsuccess = () => {
                const message = (id, parent, role, content, children) =>
                    ({ id, parent, children, chosen: 0, role, content, created: 5, finish: "stop" });
                const put = request.result.transaction("conversations", "readwrite");
                put.objectStore("conversations").put({
                    id: "oldone", title: "an old chat", renamed: false, created: 5, updated: Date.now(), roots: ["a"], chosenRoot: 0,
                    model: "smollm2", parameters: { system: "be kind", preset: "", temperature: null },
                    messages: { a: message("a", null, "user", "old question", ["b"]), b: message("b", "a", "assistant", "old answer", []) },
                });
                put.oncomplete = () => { request.result.close(); resolve(); };
            };
        }));
        await page.reload();
        await page.getByText("1 chats that this browser kept").waitFor();
        await row(page, "an old chat").click();
        await page.locator(".prose", { hasText: "old answer" }).waitFor();
        state.mock.threads.threads.delete("oldone");
        await page.reload();
        await page.locator("#composer, .welcome").first().waitFor();
        assert.equal(state.mock.threads.threads.has("oldone"), false, "it does not come twice");
    });
});

test("back and forward go between chats, and an address of a chat that is gone says so", async () => {
    seedThread(state.mock, { id: "aaa", title: "chat A", text: () => "answer of A" });
    seedThread(state.mock, { id: "bbb", title: "chat B", text: () => "answer of B" });
    await withPage({}, async (page) => {
        await row(page, "chat A").click();
        await page.locator(".prose", { hasText: "answer of A" }).waitFor();
        await row(page, "chat B").click();
        await page.locator(".prose", { hasText: "answer of B" }).waitFor();
        await page.goBack();
        await page.locator(".prose", { hasText: "answer of A" }).waitFor();
        await page.goForward();
        await page.locator(".prose", { hasText: "answer of B" }).waitFor();
        await page.evaluate(() => (location.hash = "#/chat/nosuch"));
        await page.getByRole("heading", { name: "This chat is not here" }).waitFor();
    });
});
