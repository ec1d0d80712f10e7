/* Browser: Debian's Chromium through playwright-core, alone and quiet: no first-run page, no
 * background traffic, a new empty profile for each launch. What a page does wrong is collected: content
 * policy violations, errors, requests to any host but its own. */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { chromium } = require("playwright-core");

export const AXE = require.resolve("axe-core/axe.min.js");

const PROGRAMS = [process.env.DEN_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser"];

/* Only so that a page that is broken does not hang the run; nothing is timed with it. */
const PATIENCE_MS = 180000;

export function launch() {
    const program = PROGRAMS.find((path) => path && existsSync(path));
    if (!program) throw new Error("no Chromium: apt-get install chromium");
    return chromium.launch({
        executablePath: program,
        headless: true,
        args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
               "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
}

/** A page in a profile of its own, with `faults` filled as they happen. */
export async function openPage(browser, url, options = {}) {
    const context = await browser.newContext({
        locale: "en-US", viewport: { width: 1280, height: 800 }, ...options,
    });
    context.setDefaultTimeout(PATIENCE_MS);
    await context.grantPermissions(["clipboard-read", "clipboard-write"]).catch(() => {});
    const page = await context.newPage();
    const faults = [];
    page.on("console", (message) => {
        const text = message.text();
        if (message.type() === "error" && !/Failed to load resource/.test(text)) faults.push(text);
    });
    page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
    await page.route("**/*", (route) => {
        const target = route.request().url();
        if (target.startsWith(url) || /^(data|blob):/.test(target)) return route.continue();
        faults.push(`request to another host: ${target}`);
        return route.abort();
    });
    await page.addInitScript(() => {
        globalThis.violations = [];
        document.addEventListener("securitypolicyviolation", (event) =>
            globalThis.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
    });
    page.faults = async () => [...faults, ...(await page.evaluate(() => globalThis.violations))];
    await page.goto(url);
    await page.locator("#composer").waitFor();
    return page;
}

/** Waits until the element with this id or class has the keyboard. */
export function focused(page, name) {
    return page.waitForFunction((wanted) => document.activeElement.id === wanted ||
        document.activeElement.className === wanted, name);
}

export async function ask(page, text) {
    await page.locator("#composer").fill(text);
    await page.keyboard.press("Enter");
}

/** The last answer's text once it is complete. */
export async function answered(page) {
    await page.locator(".answer").last().waitFor();
    await page.locator(".answer.running").waitFor({ state: "detached", timeout: 0 });
    return page.locator(".answer").last().innerText();
}
