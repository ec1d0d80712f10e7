/* The page as `den serve` serves it, talking with a real model and the real database: what people do all
 * day, and what happens when the program goes. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { answered, ask, checkAccessibility, focused, launch, openPage } from "./browser.mjs";
import { startServer } from "./server.mjs";

const LONG = "Write a very long story about a lighthouse keeper, at least a thousand words.";
let browser, server;
before(async () => {
    server = await startServer();
    browser = await launch();
});
after(async () => {
    await browser?.close();
    await server?.close();
});

async function withPage(options, body) {
    const page = await openPage(browser, server.url, options);
    try {
        await body(page);
        assert.deepEqual(await page.faults(), []);
    } finally {
        await page.context().close();
    }
}

/** Greedy and short, so that a small model answers the same each time. */
async function setCalm(page, tokens = 48) {
    await page.getByRole("button", { name: "This chat" }).click();
    await page.getByText("Advanced sampling").click();
    await page.getByLabel("Temperature").fill("0");
    await page.getByLabel("Longest answer").fill(String(tokens));
    await page.keyboard.press("Tab");
    await page.locator(".panel").getByRole("button", { name: "Close" }).click();
    await page.locator(".panel").waitFor({ state: "detached" });
}

/** Waits until an answer is under way. */
async function growing(page) {
    await page.waitForFunction(() => document.querySelector(".answer:last-child .failure") ||
        (document.querySelector(".answer:last-child .prose")?.textContent ?? "").length > 40,
        null, { timeout: 0 });
    assert.equal(await page.locator(".failure").count(), 0);
}

test("files come gzipped, with a policy, and again as 304", async () => {
    for (const path of ["/", "/app.js", "/later.js", "/lib/preact.js", "/app.css", "/sw.js", "/manifest.webmanifest", "/icon-180.png"]) {
        const first = await fetch(server.url + path);
        assert.equal(first.status, 200, path);
        assert.equal(first.headers.get("content-encoding"), "gzip", path);
        const etag = first.headers.get("etag");
        assert.match(etag, /^"[0-9a-f]+"$/);
        const again = await fetch(server.url + path, { headers: { "If-None-Match": etag } });
        assert.equal(again.status, 304, path);
    }
    const policy = (await fetch(server.url)).headers.get("content-security-policy");
    assert.match(policy, /default-src 'self'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.equal((await fetch(`${server.url}/no/such/file.js`)).status, 404);
});

test("the first paint comes soon", async () => {
    await withPage({}, async (page) => {
        const times = [];
        for (let turn = 0; turn < 9; turn++) {
            await page.reload();
            await page.locator("#composer").waitFor();
            times.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime));
        }
        console.log(`first contentful paint: ${times.sort((a, b) => a - b).map((one) => one?.toFixed(0)).join(" ")} ms`);
        assert.ok(times.every((one) => one > 0));
    });
});

test("an answer is shown while it grows", async () => {
    await withPage({}, async (page) => {
        await setCalm(page, 200); // more than one frame of the page could show at once
        await page.evaluate(() => {
            globalThis.lengths = new Set();
            new MutationObserver(() =>
                globalThis.lengths.add(document.querySelector(".prose")?.textContent.length ?? 0))
                .observe(document.body, { subtree: true, childList: true, characterData: true });
        });
        await ask(page, LONG);
        await answered(page);
        const lengths = await page.evaluate(() => [...globalThis.lengths]);
        assert.ok(lengths.length >= 3, `the answer came in ${lengths.length} pieces`);
    });
});

test("a question is answered, and measured", async () => {
    await withPage({}, async (page) => {
        await setCalm(page);
        await ask(page, "What is the capital of France? Answer in one sentence.");
        assert.match(await answered(page), /Paris[\s\S]*tokens\/s/);
        const meter = page.locator(".context meter");
        assert.ok(Number(await meter.getAttribute("value")) > 20);
        assert.ok(Number(await meter.getAttribute("max")) >= 1024);
        await checkAccessibility(page, "a real answer");
    });
});

test("an answer is stopped, kept through a reload, and continued", async () => {
    await withPage({}, async (page) => {
        await setCalm(page, 2000);
        await ask(page, LONG);
        await growing(page);
        await page.keyboard.press("Escape");
        assert.match(await answered(page), /stopped/);
        const text = await page.locator(".prose").innerText();
        await page.reload();
        await page.locator(".prose").waitFor();
        assert.equal(await page.locator(".prose").innerText(), text);
        await page.getByRole("button", { name: "Continue this answer" }).click();
        await page.waitForFunction((length) =>
            document.querySelector(".prose").innerText.length > length + 20, text.length, { timeout: 0 });
        await page.getByRole("button", { name: "Stop" }).click();
        await answered(page);
        assert.ok((await page.locator(".prose").innerText()).startsWith(text.slice(0, 40)));
    });
});

test("an answer goes on while nobody looks, and two tabs see the same", async () => {
    await withPage({}, async (page) => {
        await setCalm(page, 400);
        await ask(page, LONG);
        await growing(page);
        const url = page.url();
        await page.goto("about:blank");
        const other = await page.context().newPage();
        await other.goto(url);
        await other.locator(".prose").waitFor();
        await page.goto(url);
        await Promise.all([answered(page), answered(other)]);
        const text = await page.locator(".prose").innerText();
        assert.ok(text.length > 300);
        assert.equal(await other.locator(".prose").innerText(), text);
        await ask(other, "Say yes.");
        await page.locator(".bubble", { hasText: "Say yes." }).waitFor();
        await answered(other);
        await answered(page);
        await other.close();
    });
});

test("answers and questions branch, a fork is a chat of its own", async () => {
    await withPage({}, async (page) => {
        await setCalm(page, 16);
        await ask(page, "Name a colour.");
        await answered(page);
        await page.getByRole("button", { name: "Answer again" }).click();
        await page.locator(".answer .siblings", { hasText: "2/2" }).waitFor();
        await answered(page);
        await page.locator(".answer").getByRole("button", { name: "Previous version" }).click();
        await page.locator(".answer .siblings", { hasText: "1/2" }).waitFor();
        await page.locator(".question").hover();
        await page.locator(".question").getByRole("button", { name: "Edit" }).click();
        await page.locator(".editor").fill("Name a fruit.");
        await page.keyboard.press("Enter");
        await page.locator(".question .siblings", { hasText: "2/2" }).waitFor();
        await answered(page);
        assert.equal(await page.locator(".bubble").innerText(), "Name a fruit.");
        await page.reload();
        await page.locator(".bubble", { hasText: "Name a fruit." }).waitFor();
        const before = page.url();
        await page.locator(".answer").getByRole("button", { name: "More" }).click();
        await page.getByRole("menuitem", { name: "New chat from here" }).click();
        await page.waitForFunction((url) => location.href !== url, before);
        await page.locator(".bubble", { hasText: "Name a fruit." }).waitFor();
        assert.equal(await page.locator(".siblings").count(), 0);
    });
});

test("a whole conversation needs no mouse", async () => {
    await withPage({}, async (page) => {
        await focused(page, "composer");
        await setCalm(page, 16);
        await page.locator("#composer").focus();
        await page.keyboard.type("Say hello.");
        await page.keyboard.press("Enter");
        await answered(page);
        await page.keyboard.press("ArrowUp");
        await page.keyboard.press("Control+A");
        await page.keyboard.type("Say goodbye.");
        await page.keyboard.press("Enter");
        await page.locator(".bubble", { hasText: "Say goodbye." }).waitFor();
        await answered(page);
        await focused(page, "composer");
        await page.keyboard.press("Control+Shift+C");
        const copied = await page.evaluate(() => navigator.clipboard.readText());
        assert.ok(copied.length > 0);
        await page.keyboard.press("Control+Shift+O");
        await page.locator(".welcome").waitFor();
        await page.keyboard.press("Control+K");
        await page.keyboard.type("goodbye");
        await page.getByRole("option", { name: /goodbye/ }).first().waitFor();
        await page.keyboard.press("Enter");
        await page.locator(".bubble", { hasText: "Say goodbye." }).waitFor();
    });
});

test("rename, pin, folder, delete and undo, export and import, with the real database", async () => {
    await withPage({}, async (page) => {
        await setCalm(page, 8);
        await ask(page, "Find me: 长颈鹿 giraffe");
        await answered(page);
        const row = (name) => page.locator(".chat-row", { hasText: name });
        const menu = async (name, item) => {
            await page.locator(".sidebar").getByRole("button", { name: new RegExp(`^Chat “${name}`) }).press("Enter");
            await page.getByRole("menuitem", { name: item }).click();
        };
        await menu("Find me", "Rename");
        await page.keyboard.type("Animals");
        await page.keyboard.press("Enter");
        await menu("Animals", "Pin");
        await page.locator("section[aria-label=Pinned]").getByText("Animals").waitFor();
        await page.getByRole("button", { name: "New folder" }).click();
        await page.keyboard.type("Zoo");
        await page.keyboard.press("Enter");
        await menu("Animals", "Move to folder");
        await page.locator("dialog").getByRole("button", { name: "Zoo" }).click();
        await page.locator(".inside").getByText("Animals").waitFor();
        await page.keyboard.press("Control+K");
        await page.keyboard.type("长颈鹿");
        await page.getByRole("option", { name: /Animals/ }).first().waitFor();
        await page.keyboard.press("Escape");
        const file = page.waitForEvent("download");
        await menu("Animals", "Export as Markdown");
        assert.match(readFileSync(await (await file).path(), "utf8"), /长颈鹿 giraffe/);
        await menu("Animals", "Delete chat");
        await page.locator(".welcome").waitFor();
        await page.getByRole("button", { name: "Undo" }).click();
        await page.locator(".bubble", { hasText: "giraffe" }).waitFor();
        await page.keyboard.press("Control+.");
        const whole = page.waitForEvent("download");
        await page.getByRole("button", { name: "Export all chats" }).click();
        const path = await (await whole).path();
        assert.ok(readFileSync(path, "utf8").includes("giraffe"));
        const chooser = page.waitForEvent("filechooser");
        await page.getByRole("button", { name: "Import chats" }).click();
        await (await chooser).setFiles({ name: "den.json", mimeType: "application/json", buffer: readFileSync(path) });
        await page.getByText(/Imported \d+ chats/).waitFor();
    });
});

test("chats of an earlier Den are moved from the browser into the database", async () => {
    await withPage({}, async (page) => {
        await page.evaluate(() => new Promise((resolve) => {
            localStorage.removeItem("den.moved");
            const request = indexedDB.open("den", 1);
            request.onupgradeneeded = () => request.result.createObjectStore("conversations", { keyPath: "id" });
            request.onsuccess = () => {
                const put = request.result.transaction("conversations", "readwrite");
                const message = (id, parent, role, content, children) =>
                    ({ id, parent, children, chosen: 0, role, content, created: 5, finish: "stop" });
                put.objectStore("conversations").put({
                    id: "oldone", title: "an old chat", renamed: false, created: 5, updated: Date.now(), roots: ["a"],
                    chosenRoot: 0, model: "", parameters: { system: "be kind", preset: "", temperature: null, seed: 3 },
                    messages: { a: message("a", null, "user", "old question", ["b"]), b: message("b", "a", "assistant", "old answer", []) },
                });
                put.oncomplete = () => { request.result.close(); resolve(); };
            };
        }));
        await page.reload();
        await page.locator(".chat-row", { hasText: "an old chat" }).click();
        await page.locator(".prose", { hasText: "old answer" }).waitFor();
        await page.getByRole("button", { name: "This chat" }).click();
        assert.equal(await page.getByLabel("Instructions").inputValue(), "be kind");
    });
});

test("a prompt beyond the context says both lengths and what to do", async () => {
    await withPage({}, async (page) => {
        const { data } = await (await fetch(`${server.url}/v1/models`)).json();
        const context = data[0].den.context_tokens;
        await ask(page, "lighthouse ".repeat(context));
        await answered(page);
        const words = await page.locator(".failure").innerText();
        assert.ok(words.replace(/[,.]/g, "").includes(String(context)), words);
        assert.match(words, /longer than the model can hold/);
        await page.getByRole("button", { name: "New chat" }).last().waitFor();
    });
});

test("markup in questions stays text", async () => {
    await withPage({}, async (page) => {
        await setCalm(page, 16);
        await ask(page, "Repeat: <img src=x onerror=globalThis.hit=1> <script>globalThis.hit=1</script>");
        await answered(page);
        assert.equal(await page.evaluate(() => globalThis.hit), undefined);
        assert.equal(await page.locator(".transcript img, .transcript script").count(), 0);
    });
});

test("a program that dies is reported, what had come is kept, and all goes on once it is back", async () => {
    const page = await openPage(browser, server.url);
    await ask(page, LONG);
    await growing(page);
    await page.waitForTimeout(2500); /* the program writes an unfinished answer down each second */
    await server.kill();
    await page.locator(".banner", { hasText: "den serve" }).waitFor();
    assert.ok((await page.locator(".prose").innerText()).length > 40, "what had come is still shown");
    await server.start();
    await page.locator(".banner").waitFor({ state: "detached" });
    await answered(page);
    assert.ok((await page.locator(".prose").innerText()).length > 40, "what had come was kept");
    await page.keyboard.press("Control+Shift+O");
    await setCalm(page, 16);
    await ask(page, "Say hello.");
    await answered(page);
    assert.equal(await page.locator(".failure").count(), 0);
    await page.context().close();
});
