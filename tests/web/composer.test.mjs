/* The composer in Chromium against the mock: attachments, commands, templates, models, parameters, drafts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, ask, focused } from "./browser.mjs";
import { useMock } from "./harness.mjs";

const state = useMock();
const { withPage } = state;

/** Pastes into the composer as a keyboard would. */
const paste = (page, text) => page.locator("#composer").evaluate((area, pasted) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", pasted);
    const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
    return area.dispatchEvent(event);
}, text);

/** Drops files made of bytes onto the page. */
const drop = (page, files) => page.evaluate((list) => {
    const dataTransfer = new DataTransfer();
    for (const { name, bytes } of list) dataTransfer.items.add(new File([new Uint8Array(bytes)], name));
    for (const kind of ["dragover", "drop"])
        document.body.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
}, files);

test("a long paste becomes an attachment, which can become text again; a short one stays text", async () => {
    await withPage({}, async (page) => {
        assert.equal(await paste(page, "x".repeat(2000)), true, "the browser pastes it");
        assert.equal(await paste(page, "y".repeat(2001)), false, "the page takes it");
        const chip = page.locator(".chip");
        await chip.waitFor();
        assert.match(await chip.innerText(), /Pasted text 1\s*2,001 characters/);
        await chip.locator(".chip-name").click();
        await chip.waitFor({ state: "detached" });
        assert.equal((await page.locator("#composer").inputValue()).length, 2001);
        await page.locator("#composer").fill("");
        await paste(page, "z".repeat(3000));
        await ask(page, "what is this?");
        await answered(page);
        const sent = state.mock.requests.at(-1);
        assert.equal(sent.attachments[0].text.length, 3000);
        await page.locator(".attached summary").click();
        await page.locator(".attached pre", { hasText: "zzz" }).waitFor();
    });
});

test("text files are dropped in where no documents are kept; what is no text is refused with its name", async () => {
    state.mock.desk.isOffered = false;
    await withPage({}, async (page) => {
        await page.waitForFunction(() => !document.querySelector(".workspace-bar"));
        const bytes = (text) => [...new TextEncoder().encode(text)];
        await drop(page, [{ name: "notes.md", bytes: bytes("# Käse 中文") }, { name: "photo.jpg", bytes: [255, 216, 0, 1] }]);
        await page.locator(".chip", { hasText: "notes.md" }).waitFor();
        assert.equal(await page.locator(".chip").count(), 1);
        await page.locator(".toast", { hasText: "photo.jpg is not a text file" }).waitFor();
        await page.locator(".send").click();
        await answered(page);
        assert.deepEqual(state.mock.requests.at(-1).attachments, [{ name: "notes.md", text: "# Käse 中文" }]);
        await page.locator(".attached").waitFor();
    });
    state.mock.desk.isOffered = true;
});

test("/ lists commands and templates; a template asks for its variables", async () => {
    state.mock.prompts = [{ id: "p1", name: "translate", text: "Translate into {{language}}:\n{{text}}" },
                          { id: "p2", name: "plain", text: "Say it plainly." }];
    await withPage({}, async (page) => {
        await page.locator("#composer").fill("/");
        await page.locator(".popup li").first().waitFor();
        await page.waitForFunction(() => document.querySelector(".popup")?.innerText.includes("/translate"));
        await page.locator("#composer").fill("/trans");
        await page.keyboard.press("Enter");
        await page.getByRole("textbox", { name: "language", exact: true }).fill("French");
        await page.getByRole("textbox", { name: "text", exact: true }).fill("Hello");
        await page.keyboard.press("Shift+Enter");
        await page.keyboard.type("you");
        await page.keyboard.press("Enter");
        await page.waitForFunction(() =>
            document.getElementById("composer").value === "Translate into French:\nHello\nyou");
        await page.locator("#composer").fill("/plain");
        await page.keyboard.press("Tab");
        assert.equal(await page.locator("#composer").inputValue(), "Say it plainly.");
        await page.locator("#composer").fill("/");
        await page.keyboard.press("Escape");
        await page.locator(".popup").waitFor({ state: "detached" });
        await page.locator("#composer").fill("/activity");
        await page.keyboard.press("Enter");
        await page.getByRole("heading", { name: "Activity" }).waitFor();
    });
    state.mock.prompts = [];
});

test("@ chooses the model", async () => {
    await withPage({}, async (page) => {
        await page.locator("#composer").fill("@qwen");
        await page.locator(".popup li").first().waitFor();
        await page.keyboard.press("Enter");
        await page.getByRole("button", { name: "Model: Qwen3 4B" }).waitFor();
        await ask(page, "hello");
        await answered(page);
        assert.equal(state.mock.requests.at(-1).thread.model, "other");
    });
    delete state.mock.settings.model;
});

test("instructions, preset and sampling belong to their chat; new chats begin with the defaults", async () => {
    await withPage({}, async (page) => {
        await page.locator("select.preset").selectOption("factual");
        await page.getByRole("button", { name: "This chat" }).click();
        await page.getByLabel("Instructions").fill("Be brief.");
        assert.equal(await page.getByLabel("Temperature").isVisible(), false, "behind the disclosure");
        await page.getByText("Advanced sampling").click();
        for (const [name, value] of [["Temperature", "0"], ["Top-k", "20"], ["Seed", "7"], ["Repeat penalty", "1.1"]])
            await page.getByLabel(name).fill(value);
        await page.getByLabel("Stop at").fill("END\n###");
        await page.keyboard.press("Tab");
        await ask(page, "hello");
        await answered(page);
        const { thread } = state.mock.requests.at(-1);
        assert.equal(thread.system, "Be brief.");
        assert.deepEqual(thread.parameters, { preset: "factual", temperature: 0, top_k: 20, seed: 7, repeat_penalty: 1.1,
                                              stop: ["END", "###"] });
        await page.keyboard.press("Control+Shift+O");
        await page.locator(".welcome").waitFor();
        assert.equal(await page.getByLabel("Instructions").inputValue(), "");
        await page.getByLabel("Temperature").fill("9");
        await page.keyboard.press("Tab");
        assert.ok(await page.evaluate(() => document.querySelector("#temperature:invalid") !== null));
    });
});

test("a draft stays with its chat and survives a reload", async () => {
    await withPage({}, async (page) => {
        await ask(page, "hello");
        await answered(page);
        await page.locator("#composer").fill("half a thought");
        await page.keyboard.press("Control+Shift+O");
        await page.locator(".welcome").waitFor();
        assert.equal(await page.locator("#composer").inputValue(), "");
        await page.goBack();
        await page.locator(".prose").waitFor();
        assert.equal(await page.locator("#composer").inputValue(), "half a thought");
        await page.waitForFunction(() => (localStorage.getItem("den.drafts") ?? "").includes("half a thought"));
        await page.reload();
        await page.locator(".prose").waitFor();
        assert.equal(await page.locator("#composer").inputValue(), "half a thought");
    });
});

test("Enter or Ctrl+Enter sends, as the settings say", async () => {
    state.mock.settings.sendKey = "mod";
    try {
        await withPage({}, async (page) => {
            await page.waitForFunction(() => localStorage.getItem("den.settings")?.includes('"mod"'));
            await focused(page, "composer");
            await page.keyboard.type("one");
            await page.keyboard.press("Enter");
            await page.keyboard.type("two");
            assert.equal(await page.locator("#composer").inputValue(), "one\ntwo");
            await page.keyboard.press("Control+Enter");
            await answered(page);
        });
    } finally {
        delete state.mock.settings.sendKey;
    }
});
