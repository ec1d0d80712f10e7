/* Much of everything: an answer of 50 kB while it streams, a thread of a thousand messages, the first
 * paint. What is asserted are counts and shares, which a slow machine does not change; times are printed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, ask } from "./browser.mjs";
import { seedThread, useMock } from "./harness.mjs";

const state = useMock();
const { withPage } = state;

test("a 50 kB answer streams without flicker: finished blocks stay, nothing jumps", async () => {
    await withPage({}, async (page) => {
        await page.evaluate(() => {
            globalThis.seen = { removed: 0, shifts: 0, frames: [] };
            new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
                if (!entry.hadRecentInput) globalThis.seen.shifts += entry.value;
            })).observe({ type: "layout-shift" });
            let last = performance.now();
            const tick = (now) => {
                if (document.querySelector(".answer.running .prose")) globalThis.seen.frames.push(now - last);
                last = now;
                requestAnimationFrame(tick);
            };
            requestAnimationFrame(tick);
        });
        await ask(page, "huge");
        await page.locator(".prose .block:nth-child(4)").waitFor();
        await page.evaluate(() => {
            const prose = document.querySelector(".prose");
            globalThis.first = prose.querySelector(".block");
            new MutationObserver((records) => {
                for (const { removedNodes, target } of records)
                    if (target === prose) globalThis.seen.removed += removedNodes.length;
            }).observe(prose, { childList: true });
        });
        await answered(page);
        const seen = await page.evaluate(() => ({ ...globalThis.seen, kept: globalThis.first.isConnected,
            length: document.querySelector(".prose").textContent.length, blocks: document.querySelectorAll(".block").length }));
        const frames = seen.frames.sort((a, b) => a - b);
        console.log(`blocks ${seen.blocks}, frames ${frames.length}, median ${frames[frames.length >> 1]?.toFixed(1)} ms, ` +
            `95th of 100 ${frames[Math.floor(frames.length * 0.95)]?.toFixed(1)} ms, layout shift ${seen.shifts.toFixed(4)}`);
        assert.ok(seen.length > 30000, `${seen.length} characters shown`);
        assert.ok(seen.kept);
        assert.ok(seen.removed <= 2, `${seen.removed} blocks were taken away`);
        assert.ok(seen.shifts < 0.1, `layout shift ${seen.shifts}`);
    });
});

test("a thread of 1,000 messages: few are drawn, all can be found, scrolling keeps its place", async () => {
    seedThread(state.mock, { id: "long", title: "long", turns: 500,
                             text: (index) => `Paragraph ${index} of **many**.\n\n`.repeat(3 + index % 7) + (index === 3 ? "unique needle" : "") });
    await withPage({ path: "#/chat/long" }, async (page) => {
        await page.locator(".prose", { hasText: "Paragraph 499" }).waitFor();
        const drawn = () => page.locator(".prose").count();
        assert.equal(await page.locator("article").count(), 1000);
        await page.waitForFunction(() => document.querySelectorAll(".prose").length < 60);
        const atEnd = await page.evaluate(() => {
            const box = document.querySelector(".scroller");
            return box.scrollHeight - box.scrollTop - box.clientHeight;
        });
        assert.ok(atEnd < 50, "it opens at its end");
        await page.locator(".scroller").evaluate((box) => (box.scrollTop = box.scrollHeight / 2));
        await page.waitForFunction(() => [...document.querySelectorAll(".prose")].some((one) => {
            const { top, bottom } = one.getBoundingClientRect();
            return bottom > 0 && top < innerHeight;
        }));
        assert.ok(await drawn() < 80, `${await drawn()} answers are drawn`);
        const place = () => page.evaluate(() => [...document.querySelectorAll("article")]
            .find((one) => one.getBoundingClientRect().bottom > 100)?.dataset.id);
        const before = await place();
        await page.waitForTimeout(300);
        assert.equal(await place(), before, "what is read stays where it is");
        const needle = page.locator("article.far", { hasText: "unique needle" });
        assert.equal(await needle.locator("[hidden=until-found]").count(), 1, "the browser's search reaches it");
        assert.equal(await needle.getAttribute("aria-label"), "Answer");
        await needle.locator(".kept").evaluate((one) => one.dispatchEvent(new Event("beforematch", { bubbles: true })));
        await page.locator(".prose", { hasText: "unique needle" }).waitFor();
    });
});

test("the first paint comes soon", async () => {
    await withPage({}, async (page) => {
        const times = [];
        for (let turn = 0; turn < 5; turn++) {
            await page.reload();
            await page.locator("#composer").waitFor();
            times.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime));
        }
        times.sort((a, b) => a - b);
        console.log(`first contentful paint: ${times.map((one) => one?.toFixed(0)).join(" ")} ms`);
        assert.ok(times[0] !== undefined);
        const shifts = await page.evaluate(() => new Promise((resolve) => {
            let sum = 0;
            new PerformanceObserver((list) => list.getEntries().forEach((entry) => (sum += entry.value)))
                .observe({ type: "layout-shift", buffered: true });
            setTimeout(() => resolve(sum), 300);
        }));
        assert.ok(shifts < 0.05, `layout shift at the start: ${shifts}`);
    });
});
