/* The page in Chromium against the mock: looks, languages, keys, accessibility, hostile text, failures. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ATTACKS } from "./attacks.mjs";
import { answered, ask, checkAccessibility, focused } from "./browser.mjs";
import { useMock } from "./harness.mjs";

const state = useMock();
const { withPage } = state;

for (const colorScheme of ["light", "dark"])
    test(`${colorScheme}: no serious accessibility fault in a conversation`, async () => {
        await withPage({ colorScheme, reducedMotion: "reduce" }, async (page) => {
            await checkAccessibility(page, "empty page");
            await ask(page, "reason tool sample");
            await answered(page);
            await page.locator(".math.drawn").first().waitFor();
            await page.locator(".reasoning summary").first().click();
            await checkAccessibility(page, "answer");
            await ask(page, "error:context");
            await answered(page);
            await page.getByRole("button", { name: "This chat" }).click();
            await page.getByText("Advanced sampling").click();
            await checkAccessibility(page, "failure and panel");
            await page.getByRole("button", { name: "Chat “reason tool sample”" }).last().click();
            await page.getByRole("menu").waitFor();
            await checkAccessibility(page, "menu");
            await page.keyboard.press("Escape");
            await page.locator("#composer").fill("/");
            await page.locator(".popup").waitFor();
            await checkAccessibility(page, "commands");
            await page.keyboard.press("Escape");
            await page.keyboard.press("Control+/");
            await page.locator("dialog kbd").first().waitFor();
            await checkAccessibility(page, "shortcuts");
        });
    });

test("the log, the status line and the buttons have names and roles", async () => {
    await withPage({}, async (page) => {
        await ask(page, "hello");
        const heard = page.locator(".only-heard[role=status]");
        await answered(page);
        await page.getByRole("log", { name: "Conversation" }).waitFor();
        assert.match(await heard.innerText(), /^Answer: The sky is blue/);
        const articles = page.getByRole("log").getByRole("article");
        assert.equal(await articles.count(), 2);
        assert.equal(await articles.first().getAttribute("aria-setsize"), "2");
        const nameless = await page.evaluate(() => [...document.querySelectorAll("button, a, input, textarea, select")]
            .filter((one) => !(one.getAttribute("aria-label") || one.textContent.trim() || one.labels?.length || one.title))
            .map((one) => one.outerHTML));
        assert.deepEqual(nameless, []);
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
            const { M } = await import("/app.js");
            const { h, render } = await import("/lib/preact.js");
            const places = attacks.map((text) => {
                const place = document.createElement("div");
                document.body.append(place);
                render(h(M.prose.Prose, { text, language: "en", isRunning: false }), place);
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

test("Markdown becomes elements: code in colour, table, formulas, links that wait for a click", async () => {
    await withPage({}, async (page) => {
        await ask(page, "sample");
        await answered(page);
        await page.locator(".math.drawn math").first().waitFor();
        assert.ok(await page.locator(".code .token.keyword").count() >= 3);
        assert.equal(await page.locator(".prose td[align=right]").count(), 3);
        const link = page.locator(".prose a");
        assert.equal(await link.getAttribute("target"), "_blank");
        assert.match(await link.getAttribute("rel"), /noopener/);
        assert.match(await link.innerText(), /example\.org/);
        await page.locator(".copy-code").click();
        assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^#include <string\.h>[\s\S]*}\s*$/);
    });
});

test("reasoning and tool calls are there and closed", async () => {
    await withPage({}, async (page) => {
        state.mock.threads.hold = "thought";
        await ask(page, "reason tool");
        await page.locator(".answer.running .reasoning", { hasText: "Thinking" }).waitFor();
        await page.keyboard.press("Escape");
        state.mock.threads.hold = "";
        await answered(page);
        await ask(page, "reason tool");
        await answered(page);
        const blocks = page.locator(".answer").last().locator("details.reasoning");
        assert.equal(await blocks.count(), 2);
        assert.equal(await blocks.first().getAttribute("open"), null);
        await page.locator(".answer").last().getByText("Used the tool weather").click();
        await page.locator(".answer").last().getByText("21 °C").waitFor();
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
    ["error:model", /model can’t answer/, "Models"],
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

test("a server that wants a token is given one, and the page keeps none", async () => {
    state.mock.wantsToken = "secret";
    try {
        await withPage({}, async (page) => {
            await page.locator("dialog input").fill("guess");
            await page.keyboard.press("Enter");
            await page.getByRole("alert", { name: "" }).getByText("not accepted").waitFor();
            await page.locator("dialog input").fill("secret");
            await page.keyboard.press("Enter");
            await page.locator("dialog").waitFor({ state: "detached" });
            await ask(page, "hello");
            await answered(page);
            const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
            assert.doesNotMatch(kept, /secret/);
            await page.reload();
            await page.locator(".prose").waitFor();
        });
    } finally {
        state.mock.wantsToken = "";
    }
});

test("every shortcut works", async () => {
    await withPage({}, async (page) => {
        await ask(page, "sample");
        await answered(page);
        await page.keyboard.press("Control+Shift+C");
        assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^## Reversing/);
        await page.keyboard.press("Control+Shift+Semicolon");
        assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^#include[\s\S]*}\n$/);
        for (const keys of ["Control+B", "Control+Shift+S"]) {
            await page.keyboard.press(keys);
            await page.locator(".sidebar").waitFor({ state: keys === "Control+B" ? "detached" : "visible" });
        }
        await page.keyboard.press("Control+Shift+M");
        await page.getByRole("option", { name: /Qwen3/ }).waitFor();
        await page.keyboard.type("qwen");
        await page.keyboard.press("Enter");
        await page.getByRole("button", { name: "Model: Qwen3 4B" }).waitFor();
        await page.keyboard.press("Control+Shift+O");
        await page.locator(".welcome").waitFor();
        await focused(page, "composer");
        for (const keys of ["Control+.", "Control+,"]) {
            await page.keyboard.press(keys);
            await page.getByRole("heading", { name: "Settings" }).waitFor();
            await page.keyboard.press("Control+.");
            await page.locator(".welcome").waitFor();
        }
        await page.keyboard.press("Control+/");
        await page.locator("dialog kbd").first().waitFor();
        await page.keyboard.press("Escape");
        await page.locator("dialog").waitFor({ state: "detached" });
        await page.keyboard.press("Control+K");
        await page.locator("dialog.palette").waitFor();
        await page.keyboard.press("Escape");
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
        await page.getByRole("heading", { name: "Settings" }).waitFor();
        await page.reload();
        await page.getByRole("heading", { name: "Settings" }).waitFor();
        assert.equal(await paper(), "rgb(251, 250, 246)");
        assert.equal(state.mock.settings.theme, "light", "the program keeps it for every browser");
        Object.assign(state.mock.settings, { theme: "system", language: "" });
    });
});

test("motion is left out for those who asked for that", async () => {
    await withPage({ reducedMotion: "reduce" }, async (page) => {
        await ask(page, "endless");
        await page.locator(".answer.running").waitFor();
        const longest = await page.evaluate(() => Math.max(0, ...document.getAnimations()
            .map((one) => one.effect.getComputedTiming().duration * one.effect.getComputedTiming().iterations)));
        assert.ok(longest < 1, `an animation runs for ${longest} ms`);
        await page.keyboard.press("Escape");
        await answered(page);
    });
});

test("a phone shows everything in 360 pixels", async () => {
    const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
    await withPage(phone, async (page) => {
        const width = () => page.evaluate(() => Math.max(document.documentElement.scrollWidth,
            ...[...document.querySelectorAll(".main, .scroller, .transcript, .composer, .panel, .sidebar, .view")]
                .map((element) => element.scrollWidth)));
        assert.ok(await width() <= 360);
        await ask(page, "sample");
        await answered(page);
        assert.ok(await width() <= 360);
        await page.getByRole("button", { name: "Show chats" }).click();
        await page.locator(".chat-name").first().waitFor();
        assert.ok(await width() <= 360);
        await page.locator(".scrim").click({ position: { x: 350, y: 300 } });
        await page.locator(".sidebar").waitFor({ state: "detached" });
        await page.getByRole("button", { name: "This chat" }).click();
        assert.ok(await width() <= 360);
        for (const view of ["models", "settings", "server", "activity"]) {
            await page.evaluate((name) => (location.hash = `#/${name}`), view);
            await page.locator(".view h2").first().waitFor();
            assert.ok(await width() <= 360, view);
        }
    });
});
