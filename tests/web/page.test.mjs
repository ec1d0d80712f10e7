/* The page in Chromium against the mock: looks, keys, accessibility, and what a healthy server with a
 * real model rarely shows (each error, a slow prompt, a stream cut off, hostile text). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { ATTACKS } from "./attacks.mjs";
import { answered, ask, AXE, focused, launch, openPage } from "./browser.mjs";
import { startMock } from "./mock.mjs";

let browser, mock;
before(async () => {
    mock = await startMock();
    browser = await launch();
});
after(async () => {
    await browser?.close();
    mock?.close();
});

/** Runs `body` with a fresh page and then demands that nothing went wrong unseen. */
async function withPage(options, body) {
    const page = await openPage(browser, mock.url, options);
    try {
        await body(page);
        assert.deepEqual(await page.faults(), []);
    } finally {
        await page.context().close();
    }
}

async function checkAccessibility(page, what) {
    await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {}))));
    await page.evaluate(readFileSync(AXE, "utf8"));
    const { violations } = await page.evaluate(() => globalThis.axe.run(document));
    const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`),
                     [], what);
}

for (const colorScheme of ["light", "dark"])
    test(`${colorScheme}: no serious accessibility fault on any screen`, async () => {
        await withPage({ colorScheme, reducedMotion: "reduce" }, async (page) => {
            await checkAccessibility(page, "empty page");
            await ask(page, "sample");
            await answered(page);
            await page.locator(".math.drawn").first().waitFor();
            await checkAccessibility(page, "answer");
            await ask(page, "error:context");
            await answered(page);
            await page.keyboard.press("Control+.");
            await page.locator(".panel").waitFor();
            await checkAccessibility(page, "failure and settings");
            await page.keyboard.press("Control+/");
            await page.locator("dialog").waitFor();
            await checkAccessibility(page, "shortcuts");
        });
    });

test("attacks stay text, in answers and in questions", async () => {
    await withPage({}, async (page) => {
        for (const attack of [ATTACKS.join("\n\n"), ...ATTACKS.filter((_, index) => index % 9 === 0)]) {
            await ask(page, `echo:${attack}`);
            await answered(page);
        }
        await page.locator(".math.drawn").first().waitFor();
        const found = await page.evaluate(async (attacks) => {
            const { renderBlock, toBlocks } = await import("/src/markdown.js");
            const places = attacks.map((text) => {
                const place = document.createElement("div");
                place.innerHTML = toBlocks(text).map(renderBlock).join("");
                document.body.append(place);
                return place;
            });
            await new Promise((resolve) => setTimeout(resolve, 200));
            const all = [...places, ...document.querySelectorAll(".prose, .bubble")];
            const bad = all.flatMap((place) => [...place.querySelectorAll(
                "script, iframe, object, embed, style, svg, form, input, base, link, meta, video, img:not([src^='data:image/png'])")])
                .map((element) => element.outerHTML);
            for (const element of all.flatMap((place) => [...place.querySelectorAll("*")]))
                for (const { name, value } of element.attributes)
                    if (/^on/i.test(name) || /^\s*(javascript|vbscript|data:text)/i.test(value))
                        bad.push(`${name}=${value}`);
            return { bad, hit: globalThis.hit };
        }, ATTACKS);
        assert.deepEqual(found, { bad: [], hit: undefined });
        assert.ok((await page.locator(".bubble").first().innerText()).includes("<script>"));
    });
});

test("Markdown becomes elements: code in colour, table, formulas, links that open elsewhere", async () => {
    await withPage({}, async (page) => {
        await ask(page, "sample");
        await answered(page);
        await page.locator(".math.drawn math").first().waitFor();
        assert.ok(await page.locator(".code .token.keyword").count() >= 3);
        assert.equal(await page.locator(".prose td[align=right]").count(), 3);
        const link = page.locator(".prose a");
        assert.equal(await link.getAttribute("target"), "_blank");
        assert.match(await link.getAttribute("rel"), /noopener/);
        await page.locator(".copy-code").click();
        assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^#include <string\.h>[\s\S]*}\s*$/);
    });
});

test("finished blocks keep their elements while the last one grows", async () => {
    await withPage({}, async (page) => {
        await ask(page, "slow sample");
        await page.locator(".prose .block:nth-child(3)").waitFor();
        const first = await page.locator(".prose .block > *").first().elementHandle();
        await page.locator(".prose .block:nth-child(4)").waitFor();
        assert.ok(await first.evaluate((element) => element.isConnected));
        await page.keyboard.press("Escape");
        await answered(page);
    });
});

test("reading a long prompt shows how far it is", async () => {
    await withPage({}, async (page) => {
        await ask(page, "endless reading");
        const bar = page.locator(".reading progress");
        await bar.waitFor();
        assert.equal(await bar.getAttribute("max"), "2048");
        assert.match(await page.locator(".reading").innerText(), /of 2,048 tokens/);
        await page.keyboard.press("Escape");
        await answered(page);
        await ask(page, "short");
        await answered(page);
        assert.match(await page.locator(".context").getAttribute("title"), /of 8,192 tokens/);
    });
});

const FAILURES = [
    ["error:context", /longer than the model can hold[\s\S]*9001[\s\S]*8192/, "New chat"],
    ["error:429", /busy/, "Try again"],
    ["error:500", /matrix on fire/, "Try again"],
    ["cut", /connection .* was lost/, "Try again"],
];
for (const [question, words, remedy] of FAILURES)
    test(`failure "${question}" says what happened and what to do`, async () => {
        await withPage({}, async (page) => {
            await ask(page, "first");
            await answered(page);
            await ask(page, question);
            await answered(page);
            const failure = page.locator(".failure").last();
            assert.match(await failure.innerText(), words);
            await failure.getByRole("button", { name: remedy }).waitFor();
        });
    });

test("a full context can be made room in", async () => {
    await withPage({}, async (page) => {
        await ask(page, "first");
        await answered(page);
        await ask(page, "error:context");
        await answered(page);
        await page.getByRole("button", { name: "Forget the oldest messages" }).click();
        await answered(page);
        assert.equal(await page.locator(".question").count(), 1);
        assert.equal(mock.requests.at(-1).messages.length, 1);
    });
});

test("a server that wants a token is given one, kept for the tab", async () => {
    await withPage({}, async (page) => {
        await ask(page, "error:401");
        await page.locator("dialog input").fill("secret");
        await page.keyboard.press("Enter");
        await page.locator("dialog").waitFor({ state: "detached" });
        assert.equal(await page.evaluate(() => sessionStorage.getItem("den.token")), "secret");
        assert.equal(await page.evaluate(() => JSON.stringify(localStorage).includes("secret")), false);
    });
});

test("every shortcut works", async () => {
    await withPage({}, async (page) => {
        await ask(page, "one");
        await answered(page);
        await page.keyboard.press("Control+Shift+C");
        assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^The sky is blue/);
        await page.getByRole("button", { name: "Answer again" }).focus();
        await page.keyboard.press("Enter");
        await page.locator(".answer .siblings").waitFor();
        await answered(page);
        await focused(page, "composer");
        await page.keyboard.press("Control+B");
        await page.locator(".sidebar").waitFor({ state: "detached" });
        await page.keyboard.press("Control+K");
        await focused(page, "search");
        await page.keyboard.type("scatters");
        await page.locator(".chat-name", { hasText: "one" }).waitFor();
        await page.keyboard.type(" nowhere");
        await page.locator(".nothing").waitFor();
        await page.keyboard.press("Escape");
        await page.locator(".chat-name").waitFor();
        await page.keyboard.press("Control+Shift+O");
        await page.locator(".welcome").waitFor();
        await page.keyboard.press("Control+/");
        await page.locator("dialog kbd").first().waitFor();
        await page.keyboard.press("Escape");
        await page.locator("dialog").waitFor({ state: "detached" });
        await page.keyboard.press("Control+.");
        await page.locator(".panel").waitFor();
        await page.keyboard.press("Escape");
        await page.locator(".panel").waitFor({ state: "detached" });
    });
});

test("Enter that ends a Chinese word does not send", async () => {
    await withPage({}, async (page) => {
        await page.locator("#composer").fill("你好");
        await page.locator("#composer").dispatchEvent("keydown", { key: "Enter", isComposing: true });
        assert.equal(await page.locator(".question").count(), 0);
        await page.locator("#composer").focus();
        await page.keyboard.press("Shift+Enter");
        assert.equal(await page.locator("#composer").inputValue(), "你好\n");
    });
});

test("theme and language follow the system until they are chosen, then last", async () => {
    await withPage({ colorScheme: "dark", locale: "zh-CN" }, async (page) => {
        const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        assert.equal(await paper(), "rgb(23, 26, 24)");
        await page.getByRole("heading", { name: "在想些什么" }).waitFor();
        assert.equal(await page.evaluate(() => document.documentElement.lang), "zh-Hans");
        await page.keyboard.press("Control+.");
        await page.getByLabel("浅色").check();
        assert.equal(await paper(), "rgb(251, 250, 246)");
        await page.getByLabel("English").check();
        await page.getByRole("heading", { name: "What’s on your mind" }).waitFor();
        await page.reload();
        await page.getByRole("heading", { name: "What’s on your mind" }).waitFor();
        assert.equal(await paper(), "rgb(251, 250, 246)");
    });
});

test("parameters reach the server and belong to their chat", async () => {
    await withPage({}, async (page) => {
        await page.getByLabel("Task").selectOption("factual");
        await page.getByLabel("Model").selectOption("other");
        await page.keyboard.press("Control+.");
        await page.getByLabel("Instructions").fill("Be brief.");
        await page.getByLabel("Temperature").fill("0");
        await page.getByLabel("Seed").fill("7");
        await page.keyboard.press("Tab");
        await ask(page, "hello");
        await answered(page);
        const sent = mock.requests.at(-1);
        assert.deepEqual([sent.model, sent.preset, sent.temperature, sent.seed, sent.messages[0]],
                         ["other", "factual", 0, 7, { role: "system", content: "Be brief." }]);
        await page.keyboard.press("Control+Shift+O");
        assert.equal(await page.getByLabel("Instructions").inputValue(), "");
        assert.equal(await page.getByLabel("Temperature").inputValue(), "");
        await page.getByLabel("Temperature").fill("9");
        await page.keyboard.press("Tab");
        assert.ok(await page.evaluate(() => document.querySelector("#temperature:invalid") !== null));
    });
});

test("a phone shows everything in 360 pixels", async () => {
    const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
    await withPage(phone, async (page) => {
        const width = () => page.evaluate(() => Math.max(document.documentElement.scrollWidth,
            ...[...document.querySelectorAll(".main, .scroller, .transcript, .composer, .panel, .sidebar")]
                .map((element) => element.scrollWidth)));
        assert.ok(await width() <= 360);
        await ask(page, "sample");
        await answered(page);
        assert.ok(await width() <= 360);
        await page.getByRole("button", { name: "Show chats" }).click();
        await page.locator(".chat-name").waitFor();
        assert.ok(await width() <= 360);
        await page.locator(".scrim").click({ position: { x: 350, y: 300 } });
        await page.locator(".sidebar").waitFor({ state: "detached" });
        await page.getByRole("button", { name: "Settings" }).click();
        assert.ok(await width() <= 360);
    });
});

test("chats are renamed, deleted and brought back from the list", async () => {
    await withPage({}, async (page) => {
        await ask(page, "first chat");
        await answered(page);
        await page.locator(".chat-name").hover();
        await page.getByRole("button", { name: "Rename: first chat" }).click();
        await page.keyboard.type("Sky");
        await page.keyboard.press("Enter");
        await page.locator(".chat-name", { hasText: "Sky" }).waitFor();
        await focused(page, "chat-name");
        await page.locator(".chat-name", { hasText: "Sky" }).hover();
        await page.getByRole("button", { name: "Delete: Sky" }).click();
        await page.locator(".welcome").waitFor();
        await page.getByRole("button", { name: "Undo" }).click();
        await page.locator(".chat-name", { hasText: "Sky" }).waitFor();
        assert.equal(await page.locator(".question").count(), 1);
    });
});

test("another tab's chats appear here", async () => {
    await withPage({}, async (page) => {
        const other = await page.context().newPage();
        await other.goto(mock.url);
        await ask(other, "from the other tab");
        await page.locator(".chat-name", { hasText: "from the other tab" }).waitFor();
    });
});
