/* The page as `den serve` serves it, talking with a real model: what people do all day, and what happens
 * when the server goes. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answered, ask, focused, launch, openPage } from "./browser.mjs";
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
    await page.keyboard.press("Control+.");
    await page.getByLabel("Temperature").fill("0");
    await page.getByLabel("Longest answer").fill(String(tokens));
    await page.keyboard.press("Tab");
    await page.keyboard.press("Control+.");
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
    for (const path of ["/", "/src/main.js", "/lib/preact.js", "/css/theme.css"]) {
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

test("a question is answered word by word, and measured", async () => {
    await withPage({}, async (page) => {
        await setCalm(page);
        await page.evaluate(() => {
            globalThis.lengths = new Set();
            new MutationObserver(() =>
                globalThis.lengths.add(document.querySelector(".prose")?.textContent.length ?? 0))
                .observe(document.body, { subtree: true, childList: true, characterData: true });
        });
        await ask(page, "What is the capital of France? Answer in one sentence.");
        assert.match(await answered(page), /Paris[\s\S]*tokens\/s/);
        const lengths = await page.evaluate(() => [...globalThis.lengths]);
        assert.ok(lengths.length >= 3, `the answer came in ${lengths.length} pieces`);
        const meter = page.locator(".context meter");
        assert.ok(Number(await meter.getAttribute("value")) > 20);
        assert.ok(Number(await meter.getAttribute("max")) >= 1024);
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

test("answers and questions branch", async () => {
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
        await page.keyboard.press("Control+K");
        await page.keyboard.type("goodbye");
        await page.keyboard.press("Tab");
        await page.keyboard.press("Enter");
        assert.equal(await page.locator(".question").count(), 1);
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

test("a server that dies is reported, and found again once it is back", async () => {
    const page = await openPage(browser, server.url);
    await ask(page, LONG);
    await growing(page);
    await server.kill();
    await answered(page);
    await page.locator(".banner.warning", { hasText: "den serve" }).waitFor();
    await page.locator(".failure").getByRole("button", { name: "Try again" }).waitFor();
    assert.ok((await page.locator(".prose").innerText()).length > 40, "what had come is kept");
    await server.start();
    await page.locator(".banner.warning").waitFor({ state: "detached" });
    await setCalm(page, 16);
    await page.getByRole("button", { name: "New chat" }).first().click();
    await setCalm(page, 16);
    await ask(page, "Say hello.");
    await answered(page);
    assert.equal(await page.locator(".failure").count(), 0);
    await page.context().close();
});
