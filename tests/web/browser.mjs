/* Browser: Debian's Chromium through playwright-core, alone and quiet: no first-run page, no
 * background traffic, a new empty profile for each launch. What a page does wrong is collected: content
 * policy violations, errors, requests to any host but its own. */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { chromium } = require("playwright-core");

export const AXE = require.resolve("axe-core/axe.min.js");

const PROGRAMS = [process.env.DEN_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser"];

/* Only so that a page that is broken does not hang the run; nothing is timed with it. */
const PATIENCE_MS = Number(process.env.DEN_TEST_PATIENCE_MS ?? 180000);

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
export async function openPage(browser, url, { path = "", ...options } = {}) {
    const context = await browser.newContext({
        locale: "en-US", viewport: { width: 1280, height: 800 }, serviceWorkers: "block", ...options,
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
    await page.goto(`${url}/${path}`);
    await page.locator(path ? ".main" : "#composer").first().waitFor();
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

/** Demands that axe finds nothing serious. */
export async function checkAccessibility(page, what) {
    await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {}))));
    await page.evaluate(readFileSync(AXE, "utf8"));
    const { violations } = await page.evaluate(() => globalThis.axe.run(document));
    const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`), [], what);
}

/** The last answer's text once it is complete. */
export async function answered(page) {
    await page.locator(".answer").last().waitFor();
    await page.locator(".answer.running").waitFor({ state: "detached", timeout: 0 });
    return page.locator(".answer").last().innerText();
}
