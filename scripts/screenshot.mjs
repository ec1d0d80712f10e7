#!/usr/bin/env node
/* Screenshot: the pictures of the page in docs/images, of the real page with real answers.
 *
 *   npm ci --prefix web && node scripts/screenshot.mjs [--views]
 *
 * Starts the den of build/release (or DEN_PROGRAM) with the default model, asks a few questions with
 * temperature 0, and takes the pictures once the last answer is complete; that of the activity while two are
 * being written. With --views only those of models, activity and documents are taken. */

import { mkdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { answered, ask, launch, openPage } from "../tests/web/browser.mjs";
import { startServer } from "../tests/web/server.mjs";

const FIXTURES = fileURLToPath(new URL("../tests/fixtures/", import.meta.url));
const IMAGES = fileURLToPath(new URL("../docs/images/", import.meta.url));
/* One list a chat; the last chat is the one in the picture. */
const CHATS = [
    ["Give me five ideas for a rainy Sunday with children."],
    ["What is the capital of France? Answer in one sentence."],
    ["Write a Python function that reverses a string.", "Explain why the sky is blue, in three sentences."],
];
const PAPERS = [["letters/lease.pdf", "pdf/text.pdf"], ["letters/lease draft.docx", "documents/lease.docx"],
                ["costs.xlsx", "documents/costs.xlsx"], ["mail/invoice.eml", "documents/invoice.eml"],
                ["opening hours.html", "documents/hours.html"], ["scan.pdf", "pdf/scanned.pdf"]];
const WIDE = { viewport: { width: 1280, height: 860 }, deviceScaleFactor: 1.5, colorScheme: "light" };
const PHONE = { viewport: { width: 390, height: 780 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

async function take(page, name) {
    await page.waitForTimeout(500); /* the button to the end has appeared, colours have settled */
    await page.screenshot({ path: `${IMAGES}${name}.png` });
    console.log(`${IMAGES}${name}.png`);
}

async function calm(page) {
    await page.getByRole("button", { name: "This chat" }).click();
    if (!(await page.getByLabel("Temperature").isVisible())) await page.getByText("Advanced sampling").click();
    await page.getByLabel("Temperature").fill("0");
    await page.getByLabel("Longest answer").fill("200");
    await page.keyboard.press("Tab");
    await page.locator(".panel").getByRole("button", { name: "Close" }).click();
}

async function takeConversation(browser, url) {
    const page = await openPage(browser, url, WIDE);
    await page.locator(".suggestions button:enabled").first().waitFor();
    await take(page, "page-welcome");
    for (const questions of CHATS) {
        await page.keyboard.press("Control+Shift+O");
        await page.locator(".welcome").waitFor();
        await calm(page);
        for (const question of questions) {
            await ask(page, question);
            await answered(page);
        }
    }
    const toStart = () => page.locator(".scroller").evaluate((box) => (box.scrollTop = 0));
    for (const [colorScheme, name] of [["light", "page"], ["dark", "page-dark"]]) {
        await page.emulateMedia({ colorScheme });
        await toStart();
        await take(page, name);
    }
    await page.emulateMedia({ colorScheme: "light" });
    await page.keyboard.press("Control+K");
    await page.keyboard.type("string");
    await page.locator("dialog [role=option]").first().waitFor();
    await take(page, "page-search");
    await page.keyboard.press("Escape");
    const path = new URL(page.url()).hash;
    await page.context().close();
    const phone = await openPage(browser, url, { ...PHONE, path });
    await phone.locator(".prose").first().waitFor();
    await take(phone, "page-phone");
    await phone.context().close();
}

async function takeViews(browser, url, views, options = WIDE) {
    for (const view of views) {
        const page = await openPage(browser, url, { ...options, path: `#/${view}` });
        await page.locator(".view h2").first().waitFor();
        await take(page, `page-${view}${options.locale ? "-zh" : ""}`);
        await page.context().close();
    }
}

/* A question to some papers, and the page that its answer cites. */
async function takeDocuments(browser, url) {
    const json = { "Content-Type": "application/json" };
    const made = await fetch(`${url}/api/workspaces`, { method: "POST", headers: json, body: '{"name": "House"}' });
    const { id } = await made.json();
    for (const [name, file] of PAPERS)
        await fetch(`${url}/api/documents?${new URLSearchParams({ name, workspace: id })}`,
                    { method: "POST", body: readFileSync(`${FIXTURES}${file}`) });
    const page = await openPage(browser, url, { ...WIDE, path: `#/in/${id}/documents` });
    await page.waitForFunction((count) => document.querySelectorAll(".document.is-ready").length === count,
                               PAPERS.length, { timeout: 120000 });
    await take(page, "page-documents");
    await page.getByRole("button", { name: "New chat" }).first().click();
    await calm(page);
    await ask(page, "When is the rent due, and what does a late payment cost?");
    await answered(page);
    await page.locator(".answer .prose .citation, .answer .source-row button").filter({ hasText: /\d/ }).first().click();
    await page.locator(".source-panel .word-box").first().waitFor();
    await page.locator(".source-panel .page-picture img").evaluate((image) => image.decode());
    await take(page, "page-sources");
    await page.context().close();
}

/* Two answers at once, from two pages, and a third page that looks on. */
async function takeActivity(browser, url) {
    const pages = [];
    for (const question of ["Write a long story about a lighthouse keeper.", "Explain how bread is made, in detail."]) {
        const page = await openPage(browser, url, WIDE);
        pages.push(page);
        await page.locator(".suggestions button:enabled").first().waitFor();
        await ask(page, question);
        await page.locator(".prose").last().waitFor(); /* it has begun */
    }
    await takeViews(browser, url, ["activity"]);
    for (const page of pages) await page.context().close();
}

mkdirSync(IMAGES, { recursive: true });
const server = await startServer();
const browser = await launch();
try {
    await takeActivity(browser, server.url); /* the models have been used once then, and are told exactly */
    await takeViews(browser, server.url, ["models"]);
    await takeDocuments(browser, server.url);
    if (!process.argv.includes("--views")) {
        await takeConversation(browser, server.url);
        await takeViews(browser, server.url, ["settings", "server"]);
        await takeViews(browser, server.url, ["settings"], { ...WIDE, locale: "zh-CN", colorScheme: "dark" });
    }
} finally {
    await browser.close();
    await server.close();
}
