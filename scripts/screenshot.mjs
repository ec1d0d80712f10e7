#!/usr/bin/env node
/* Screenshot: docs/images/page.png and page-dark.png, of the real page with a real answer.
 *
 *   npm ci --prefix web && node scripts/screenshot.mjs
 *
 * Starts the den of build/release (or DEN_PROGRAM) with the default model, asks a few questions with
 * temperature 0, and takes the picture once the last answer is complete. */

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { answered, ask, launch, openPage } from "../tests/web/browser.mjs";
import { startServer } from "../tests/web/server.mjs";

const IMAGES = fileURLToPath(new URL("../docs/images/", import.meta.url));
/* One list a chat; the last chat is the one in the picture. */
const CHATS = [
    ["Give me five ideas for a rainy Sunday with children."],
    ["What is the capital of France? Answer in one sentence."],
    ["Write a Python function that reverses a string.", "Explain why the sky is blue, in three sentences."],
];

mkdirSync(IMAGES, { recursive: true });
const server = await startServer();
const browser = await launch();
try {
    const page = await openPage(browser, server.url, {
        viewport: { width: 1280, height: 860 }, deviceScaleFactor: 1.5, colorScheme: "light",
    });
    for (const questions of CHATS) {
        await page.keyboard.press("Control+Shift+O");
        await page.keyboard.press("Control+.");
        await page.getByLabel("Temperature").fill("0");
        await page.getByLabel("Longest answer").fill("200");
        await page.keyboard.press("Tab");
        await page.keyboard.press("Control+.");
        for (const question of questions) {
            await ask(page, question);
            await answered(page);
        }
    }
    for (const [scheme, name] of [["light", "page.png"], ["dark", "page-dark.png"]]) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.locator(".scroller").evaluate((box) => (box.scrollTop = 0));
        await page.waitForTimeout(400); /* the button to the end has appeared, colours have settled */
        await page.screenshot({ path: IMAGES + name });
        console.log(IMAGES + name);
    }
} finally {
    await browser.close();
    await server.close();
}
