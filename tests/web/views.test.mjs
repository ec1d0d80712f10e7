/* Models, settings, server and activity in Chromium against the mock; and the page as an app. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { checkAccessibility } from "./browser.mjs";
import { choose, seedThread, useMock } from "./harness.mjs";

const state = useMock();
const { withPage } = state;

for (const [colorScheme, locale] of [["light", "en-US"], ["dark", "zh-CN"]])
    test(`${colorScheme}, ${locale}: no serious accessibility fault in any view`, async () => {
        for (const view of ["models", "settings", "server", "activity"])
            await withPage({ colorScheme, locale, reducedMotion: "reduce", path: `#/${view}` }, async (page) => {
                await page.locator(".view h2, .view legend").first().waitFor();
                await page.locator({ server: ".walls", activity: ".view table" }[view] ?? ".view").first().waitFor();
                await checkAccessibility(page, view);
            });
    });

test("models: what fits is said before the download, which is paused, resumed and cancelled", async () => {
    await withPage({ path: "#/models" }, async (page) => {
        const card = (name) => page.locator(".card", { hasText: name });
        assert.match(await card("Mistral Small").innerText(), /Too large for this machine[\s\S]*Qwen3 4B would fit/);
        assert.match(await card("Llama 3.1").innerText(), /Fits tightly[\s\S]*16,384 tokens of context[\s\S]*4\.8 tokens\/s/);
        await page.locator("#source").fill("hf:example/big-GGUF");
        await page.locator(".add .fit", { hasText: "8.1 GB of memory" }).waitFor();
        await page.keyboard.press("Enter");
        const download = page.locator(".card", { hasText: "big-GGUF" });
        await download.locator("progress").waitFor();
        await page.waitForFunction(() => /MB\/s · \d+:\d\d left/.test(document.body.innerText));
        await page.getByRole("button", { name: "Pause: big-GGUF" }).click();
        await download.getByText("Paused").waitFor();
        await page.getByRole("button", { name: "Go on: big-GGUF" }).click();
        await page.getByRole("button", { name: "Cancel: big-GGUF" }).click();
        await download.waitFor({ state: "detached" });
        await page.getByRole("button", { name: "Download: Llama 3.1 8B" }).click();
        await page.getByRole("button", { name: "Cancel: llama3-8b" }).click();
    });
});

test("models: default, memory, import and removal", async () => {
    await withPage({ path: "#/models" }, async (page) => {
        const card = (name) => page.locator(".card", { has: page.getByRole("heading", { name }) });
        await card("Qwen3").waitFor();
        await choose(page, "Model Qwen3 4B", "Use by default");
        await card("Qwen3").getByText("Default").waitFor();
        await choose(page, "Model Qwen3 4B", "Load into memory");
        await card("Qwen3").getByText("Ready").waitFor();
        await choose(page, "Model Qwen3 4B", "Free its memory");
        await card("Qwen3").getByText("Asleep").waitFor();
        await page.locator("#source").fill("/srv/models/own.gguf");
        await page.getByRole("button", { name: "Import" }).click();
        await card("Imported").waitFor();
        await choose(page, "Model Imported", "Delete this model");
        await page.locator("dialog").getByRole("button", { name: "Delete" }).click();
        await page.locator("section", { hasText: "Available" }).last().getByRole("heading", { name: "Imported" }).waitFor();
        await page.getByRole("button", { name: "Chat with SmolLM2 135M" }).click();
        await page.getByRole("button", { name: "Model: SmolLM2 135M" }).waitFor();
    });
    state.mock.models.splice(0, 99, ...state.mock.models.filter(({ name }) => name !== "imported"));
});

test("settings are found by their words and kept by the program", async () => {
    await withPage({ path: "#/settings" }, async (page) => {
        await page.getByLabel("Search settings").fill("dark");
        assert.equal(await page.locator(".setting").count(), 1);
        await page.getByLabel("Dark").check();
        await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
        await page.getByLabel("Search settings").fill("no such setting");
        await page.getByText("No setting holds these words").waitFor();
        await page.getByLabel("Search settings").fill("");
        await page.getByLabel("Large").check();
        assert.equal(state.mock.settings.theme, "dark");
        const other = await page.context().newPage();
        await other.goto(`${state.mock.url}/#/settings`);
        await other.waitForFunction(() => document.documentElement.dataset.text === "large");
        await page.getByLabel("Small").check();
        await other.waitForFunction(() => document.documentElement.dataset.text === "small");
    });
    state.mock.settings = {};
});

test("shortcuts are changed, clashes refused, and all turned off by one switch", async () => {
    await withPage({ path: "#/settings/shortcuts" }, async (page) => {
        const keys = page.getByRole("button", { name: /^New chat: / });
        await keys.click();
        await page.keyboard.press("Control+K");
        await page.getByText("Already used for: Search chats").waitFor();
        await page.keyboard.press("x");
        await page.getByText("Needs Ctrl").waitFor();
        await page.keyboard.press("Alt+N");
        await page.getByRole("button", { name: "New chat: Alt+N. Change" }).waitFor();
        await page.keyboard.press("Alt+N");
        await page.locator(".welcome").waitFor();
        await page.keyboard.press("Control+.");
        await page.getByRole("switch", { name: /Use keyboard shortcuts/ }).uncheck();
        await page.keyboard.press("Alt+N");
        assert.equal(await page.locator(".settings").count(), 1);
        await page.getByRole("button", { name: "Reset: New chat" }).click();
        await page.getByRole("button", { name: "New chat: Ctrl+Shift+O. Change" }).waitFor();
    });
    state.mock.settings = {};
});

test("templates are made, changed and deleted", async () => {
    await withPage({ path: "#/settings/prompts" }, async (page) => {
        await page.getByRole("button", { name: "New template" }).click();
        await page.getByLabel("Name", { exact: true }).fill("sum up");
        await page.getByLabel("Text", { exact: true }).fill("Sum up {{text}} in {{count}} lines.");
        await page.getByText("Asks for: text, count").waitFor();
        await page.getByRole("button", { name: "Save" }).click();
        await page.getByText("/sum-up").waitFor();
        await page.getByRole("button", { name: "Delete: sum-up" }).click();
        await page.getByText("/sum-up").waitFor({ state: "detached" });
    });
});

test("chats go out as Markdown and JSON, and files come in", async () => {
    seedThread(state.mock, { id: "out", title: "to take along" });
    await withPage({ path: "#/settings" }, async (page) => {
        const whole = page.waitForEvent("download");
        await page.getByRole("button", { name: "Export all chats" }).click();
        const file = JSON.parse(readFileSync(await (await whole).path(), "utf8"));
        assert.equal(file.threads[0].id, "out");
        state.mock.threads.threads.clear();
        const chooser = page.waitForEvent("filechooser");
        await page.getByRole("button", { name: "Import chats" }).click();
        await (await chooser).setFiles({ name: "den.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(file)) });
        await page.getByText("Imported 1 chats with 2 messages").waitFor();
        await page.locator(".chat-row", { hasText: "to take along" }).hover();
        const one = page.waitForEvent("download");
        await choose(page, "Chat “to take along”", "Export as JSON");
        assert.equal(JSON.parse(readFileSync(await (await one).path(), "utf8")).id, "out");
        const bad = page.waitForEvent("filechooser");
        await page.getByRole("button", { name: "Import chats" }).click();
        await (await bad).setFiles({ name: "x.json", mimeType: "application/json", buffer: Buffer.from("{") });
        await page.locator(".toast", { hasText: "x.json: not JSON" }).waitFor();
    });
});

test("server: address, lines to copy, tokens shown once, walls", async () => {
    await withPage({ path: "#/server" }, async (page) => {
        await page.locator(".address", { hasText: "http://127.0.0.1:4327/v1" }).waitFor();
        await page.getByRole("button", { name: "Copy the address" }).click();
        assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "http://127.0.0.1:4327/v1");
        for (const [name, words] of [["curl", /curl http:\S+\/v1\/chat\/completions/], ["Python", /OpenAI\(base_url="http/],
                                     ["JavaScript", /baseURL: "http/]]) {
            await page.getByRole("tab", { name }).click();
            await page.getByRole("button", { name: "Copy these lines" }).click();
            assert.match(await page.evaluate(() => navigator.clipboard.readText()), words);
        }
        await page.getByLabel("What is it for?").fill("my editor");
        await page.getByLabel("May").selectOption("admin");
        await page.getByRole("button", { name: "Create token" }).click();
        await page.getByText("den_0123456789").first().waitFor();
        await page.locator(".row", { hasText: "my editor" }).getByText("Everything").waitFor();
        await page.getByRole("button", { name: "Revoke: my editor" }).click();
        await page.locator("dialog").getByRole("button", { name: "Revoke" }).click();
        await page.locator(".row", { hasText: "my editor" }).waitFor({ state: "detached" });
        assert.equal(await page.locator(".walls li").count(), 8);
        assert.match(await page.locator(".walls .down").innerText(), /needs Linux 6\.3/);
    });
});

test("activity: requests, speed, memory, queue", async () => {
    await withPage({ path: "#/activity" }, async (page) => {
        const requests = page.getByRole("group", { name: "Requests" });
        await requests.getByText("OpenAI").waitFor();
        assert.equal(await requests.locator("tbody tr").count(), 3);
        assert.match(await requests.innerText(), /84\.2/);
        assert.match(await page.getByRole("group", { name: "Model processes" }).innerText(), /261 MB/);
    });
});

test("as an app: a manifest, and a worker that opens the page without the program and keeps nothing written", async () => {
    seedThread(state.mock, { id: "priv", title: "private matters", text: () => "a secret answer" });
    await withPage({ serviceWorkers: "allow" }, async (page) => {
        const manifest = await page.evaluate(async () =>
            (await fetch(document.querySelector("link[rel=manifest]").href)).json());
        assert.equal(manifest.display, "standalone");
        await page.evaluate(() => navigator.serviceWorker.ready);
        await page.reload();
        await page.locator(".chat-row", { hasText: "private matters" }).click();
        await page.locator(".prose", { hasText: "a secret answer" }).waitFor();
        const kept = await page.evaluate(async () => {
            const texts = [];
            for (const name of await caches.keys())
                for (const request of await (await caches.open(name)).keys())
                    texts.push(new URL(request.url).pathname, await (await caches.match(request)).text());
            return texts;
        });
        assert.ok(kept.includes("/app.js"));
        assert.ok(!kept.some((text) => text.startsWith("/api") || text.includes("a secret answer")));
        state.mock.isDown = true;
        state.mock.hangUp();
        await page.reload();
        await page.locator(".banner", { hasText: "den serve" }).waitFor();
        state.mock.isDown = false;
        await page.locator(".banner").waitFor({ state: "detached" });
    });
});
