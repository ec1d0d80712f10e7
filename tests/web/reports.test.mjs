/* Reports, memory, backup, and the filters of the search in Chromium against the mock. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { answered, ask, checkAccessibility, focused } from "./browser.mjs";
import { choose, useMock } from "./harness.mjs";

const state = useMock();
const { withPage } = state;
const desk = () => state.mock.desk;
const reports = () => state.mock.reports;

/** Waits until the mock has what is wanted; what never comes about ends the test instead of hanging it. */
async function until(look) {
    for (let turn = 0; !look(); turn++) {
        assert.ok(turn < 6000, `in vain: ${look}; reports: ${JSON.stringify(reports().all)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return look();
}

function seedPapers(name, names = ["house/lease.pdf", "rents.xlsx", "heating.eml"]) {
    const workspace = desk().seedWorkspace(name);
    const documents = names.map((one) => desk().seedDocument(workspace.id, one));
    return { workspace, documents, path: `#/in/${workspace.id}/` };
}
const tick = (page, name) => page.getByRole("checkbox", { name: `Choose ${name}` });

test("a summary of the workspace: its progress is seen, paused and resumed; its markers open the page", async () => {
    const { workspace, path } = seedPapers("Sums");
    await withPage({ path: `${path}reports` }, async (page) => {
        await page.getByText("No report yet").waitFor();
        await checkAccessibility(page, "no reports");
        await page.getByRole("link", { name: "New report" }).click();
        await page.getByText("The whole workspace: 3 documents").first().waitFor();
        await page.getByLabel("What should it look at?").fill("slow: money");
        await checkAccessibility(page, "report form");
        await page.getByRole("button", { name: "Start" }).click();
        await page.getByRole("heading", { name: "slow: money" }).waitFor();
        assert.deepEqual(reports().requests.at(-1), { kind: "summary", workspace: workspace.id, question: "slow: money" });
        assert.match(page.url(), /\/reports\/r\d+$/);
        const report = reports().all.at(-1);
        await page.getByText("0 of 4 steps · 0:12 left").waitFor();
        reports().step(report);
        await page.getByText("1 of 4 steps").waitFor();
        await page.locator(".report .prose", { hasText: "Document 1 says so" }).waitFor();
        await page.getByRole("button", { name: "Pause: slow: money" }).click();
        await page.getByText("Paused · 1 of 4 steps").waitFor();
        assert.equal(report.state, "paused");
        await page.getByRole("link", { name: "All reports" }).click();
        const row = page.locator(".card", { hasText: "slow: money" });
        await row.getByText("Paused · 1 of 4 steps").waitFor();
        await checkAccessibility(page, "reports");
        await row.getByRole("button", { name: "Go on: slow: money" }).click();
        await row.getByText("0:12 left").waitFor();
        await row.getByRole("link", { name: "slow: money" }).click();
        await page.getByRole("heading", { name: "slow: money" }).waitFor();
        for (let index = 0; index < 3; index++) reports().step(report);
        await page.locator(".report[aria-busy=false]").waitFor();
        assert.equal(await page.locator(".report .prose .citation").count(), 3);
        assert.equal((await page.locator(".report .doubtful").innerText()).trim(), "Document 2 says so.");
        await checkAccessibility(page, "report");
        await page.getByRole("button", { name: "source 1: lease.pdf, page 1" }).click();
        const panel = page.getByRole("complementary", { name: "Source" });
        await panel.locator(".word-box").first().waitFor();
        await page.keyboard.press("Escape");
        await panel.waitFor({ state: "detached" });
        await page.getByRole("region", { name: "Sources" }).getByRole("button", { name: "rents.xlsx" }).click();
        await panel.locator("tr.marked", { hasText: "January" }).waitFor();
        await panel.getByRole("button", { name: "Close" }).click();
        const file = page.waitForEvent("download");
        await page.getByRole("button", { name: "Markdown" }).click();
        assert.match(readFileSync(await (await file).path(), "utf8"), /# slow: money\n\nDocument \*\*1\*\*/);
        await page.getByRole("button", { name: "Rename" }).click();
        await page.getByLabel("Name of the report").fill("Money");
        await page.keyboard.press("Enter");
        await page.getByRole("heading", { name: "Money", exact: true }).waitFor();
        await page.reload();
        await page.locator(".report .prose .citation").first().waitFor();
        await page.getByRole("button", { name: "Delete report: Money" }).click();
        await page.getByText("No report yet").waitFor();
        const toast = page.locator(".toast", { hasText: "Deleted “Money”." });
        await toast.getByRole("button", { name: "Undo" }).click();
        await row.waitFor({ state: "detached" });
        await page.locator(".card", { hasText: "Money" }).waitFor();
        await page.getByRole("button", { name: "Delete report: Money" }).click();
        await page.getByText("No report yet").waitFor();
        assert.ok(reports().all.includes(report)); /* while it may come back */
        await checkAccessibility(page, "deleted report");
        await toast.getByRole("button", { name: "Close" }).click();
        await until(() => !reports().all.includes(report));
        await toast.waitFor({ state: "detached" });
    });
});

test("two ticked documents are compared; a table of some has cited cells and goes out as CSV", async () => {
    const { documents, path } = seedPapers("Pairs");
    await withPage({ path: `${path}documents` }, async (page) => {
        await tick(page, "lease.pdf").check();
        const bar = page.getByRole("group", { name: "Chosen documents" });
        await bar.getByText("1 chosen").waitFor();
        assert.ok(await bar.getByRole("button", { name: "Compare" }).isDisabled());
        await tick(page, "heating.eml").check();
        await checkAccessibility(page, "chosen documents");
        await bar.getByRole("button", { name: "Compare" }).click();
        await page.locator(".chip", { hasText: "lease.pdf" }).waitFor();
        await page.getByRole("button", { name: "Remove heating.eml" }).click();
        await page.getByText("Choose exactly two documents").waitFor();
        assert.ok(await page.getByRole("button", { name: "Start" }).isDisabled());
        await page.getByRole("button", { name: "Choose documents" }).click();
        await page.getByLabel("Filter by name").fill("rents");
        await page.waitForFunction(() => document.querySelectorAll(".tick").length === 1);
        await page.getByRole("checkbox", { name: "rents.xlsx" }).check();
        await page.getByRole("button", { name: "Start" }).click();
        await page.locator(".report .prose", { hasText: "Document 2 says so" }).waitFor();
        assert.deepEqual(reports().requests.at(-1).documents, [documents[0].id, documents[1].id]);
        assert.equal(reports().requests.at(-1).kind, "comparison");

        await page.getByRole("link", { name: "Documents" }).click();
        await tick(page, "lease.pdf").check();
        await page.getByRole("button", { name: "Choose all listed" }).click();
        await bar.getByText("3 chosen").waitFor();
        await bar.getByRole("button", { name: "Table" }).click();
        await page.getByText("Name at least one column").waitFor();
        await page.getByLabel("Name of column 1").fill("Rent");
        await page.getByLabel("What column 1 holds").fill("the monthly rent");
        await page.getByRole("button", { name: "Add a column" }).click();
        await page.getByLabel("Name of column 2").fill("Deposit");
        await page.getByRole("button", { name: "Add a column" }).click();
        await page.getByRole("button", { name: "Remove column 3" }).click();
        await page.getByRole("link", { name: "Search" }).click(); /* what is typed stays */
        await page.getByLabel("Question or words").waitFor();
        await page.goBack();
        assert.equal(await page.getByLabel("Name of column 2").inputValue(), "Deposit");
        await page.getByRole("button", { name: "Start" }).click();
        await page.locator(".report[aria-busy=false] .report-table tbody tr").nth(2).waitFor();
        const asked = reports().requests.at(-1);
        assert.deepEqual(asked.columns, [{ name: "Rent", description: "the monthly rent" }, { name: "Deposit", description: "Deposit" }]);
        assert.equal(asked.documents.length, 3);
        await checkAccessibility(page, "table");
        const rows = page.locator(".report-table tbody tr");
        const first = rows.filter({ hasText: "lease.pdf" });
        const source = page.getByRole("complementary", { name: "Source" });
        await first.getByRole("button", { name: /^value \d/ }).click();
        await source.locator(".word-box").first().waitFor();
        await page.keyboard.press("Escape");
        assert.equal(await page.locator(".report-table .doubtful").count(), 2);
        const file = page.waitForEvent("download");
        await page.getByRole("button", { name: "CSV" }).click();
        assert.match(readFileSync(await (await file).path(), "utf8"), /lease\.pdf,value \d/);
        await page.getByRole("button", { name: "Another like this" }).click();
        assert.equal(await page.getByLabel("What column 1 holds").inputValue(), "the monthly rent");
    });
});

test("a report that is refused says why and keeps what was typed; one that fails says so; one is cancelled", async () => {
    const { path } = seedPapers("Fails");
    await withPage({ path: `${path}reports/new` }, async (page) => {
        await page.getByLabel("What should it look at?").fill("refused");
        await page.getByRole("button", { name: "Start" }).click();
        await page.getByText("a summary needs at least one that is ready").waitFor();
        assert.equal(await page.getByLabel("What should it look at?").inputValue(), "refused");
        await page.getByLabel("What should it look at?").fill("fails");
        await page.getByRole("button", { name: "Start" }).click();
        await page.getByText("Failed · the model ended").waitFor();
        await page.getByRole("link", { name: "Reports", exact: true }).click();
        await page.getByRole("link", { name: "New report" }).click();
        await page.getByLabel("What should it look at?").fill("slow");
        await page.getByRole("button", { name: "Start" }).click();
        await page.getByRole("button", { name: "Cancel: slow" }).waitFor();
        const report = reports().all.find(({ question }) => question === "slow");
        await page.getByRole("button", { name: "Cancel: slow" }).click();
        await page.locator(".card", { hasText: "fails" }).waitFor();
        const slow = page.locator(".card", { hasText: "slow" });
        await slow.waitFor({ state: "detached" });
        await until(() => report.state === "paused"); /* it costs nothing meanwhile */
        await page.getByRole("button", { name: "Undo" }).click();
        await slow.waitFor();
        await until(() => report.state === "running");
        await page.getByRole("button", { name: "Cancel: slow" }).click();
        await slow.waitFor({ state: "detached" });
        await page.getByRole("button", { name: "Delete report: fails" }).click(); /* the one before goes for good */
        await until(() => !reports().all.includes(report));
        await page.getByRole("button", { name: "Undo" }).click();
        await page.locator(".card", { hasText: "fails" }).waitFor();
        await page.evaluate((hash) => (location.hash = hash), `${path}reports/gone`);
        await page.getByText("This report is not here").waitFor();
    });
});

test("memory is off; on, it proposes below the answer, keeps what is confirmed, and says when it was used", async () => {
    await withPage({}, async (page) => {
        await ask(page, "I live in Bergen. What is there to see?");
        await answered(page);
        assert.equal(reports().memories.length, 0);
        await page.evaluate(() => (location.hash = "#/settings/memory"));
        const toggle = page.getByRole("switch", { name: /Remember things about me/ });
        await toggle.waitFor();
        assert.equal(await toggle.isChecked(), false);
        await page.getByText("Nothing is remembered").waitFor();
        await toggle.check();
        await until(() => state.mock.settings.memory === true);
        await page.goBack();
        await ask(page, "I live in Oslo. What is there to see?");
        await answered(page);
        const proposal = page.getByRole("group", { name: "Proposed to remember" });
        await proposal.getByText("Remember this? I live in Oslo.").waitFor();
        await checkAccessibility(page, "proposal");
        await proposal.getByRole("button", { name: "Keep" }).click();
        await proposal.waitFor({ state: "detached" });
        await focused(page, "composer");
        assert.equal(reports().memories[0].state, "kept");
        await ask(page, "I live in Rome. And there?");
        await answered(page);
        const used = page.locator(".remembered");
        await used.getByText("Used what Den remembers of you (1)").click();
        await used.getByText("I live in Oslo.").waitFor();
        await proposal.getByRole("button", { name: "No", exact: true }).click();
        await proposal.waitFor({ state: "detached" });
        assert.deepEqual(reports().memories.map(({ text }) => text), ["I live in Oslo."]);

        await used.getByRole("link", { name: "Change what is remembered" }).click();
        const rows = page.locator("#settings-memory .row");
        await rows.filter({ hasText: "Oslo" }).waitFor();
        await page.getByLabel("Something to remember").fill("My cat is called Mia.");
        await page.keyboard.press("Enter");
        await rows.filter({ hasText: "Mia" }).waitFor();
        assert.equal(await page.getByLabel("Something to remember").inputValue(), "");
        await page.getByRole("button", { name: "Edit: I live in Oslo." }).click();
        await page.getByLabel("What is remembered").fill("I live in Tromsø.");
        await page.keyboard.press("Enter");
        await rows.filter({ hasText: "Tromsø" }).waitFor();
        reports().remember("I like tea.");
        await page.getByRole("button", { name: "Keep: I like tea." }).click();
        await page.getByRole("button", { name: "Keep: I like tea." }).waitFor({ state: "detached" });
        await checkAccessibility(page, "memory settings");
        await page.getByRole("button", { name: "Delete: I like tea." }).click();
        await rows.filter({ hasText: "tea" }).waitFor({ state: "detached" });
        await page.getByRole("button", { name: "Forget everything" }).click();
        await page.locator("dialog").getByRole("button", { name: "Forget everything" }).click();
        await page.getByText("Nothing is remembered").waitFor();
        assert.equal(reports().memories.length, 0);
    });
    state.mock.settings = {};
});

test("a workspace goes out as one file and comes in again; what is damaged is said", async () => {
    const { path } = seedPapers("Exported");
    await withPage({ path: `${path}workspace` }, async (page) => {
        const out = page.waitForEvent("download");
        await page.getByRole("link", { name: "Export this workspace" }).click();
        assert.equal((await out).suggestedFilename(), "Exported.den-workspace");
        const bring = async (text) => {
            const chooser = page.waitForEvent("filechooser");
            await choose(page, /^Workspace: /, "Import a workspace");
            await (await chooser).setFiles({ name: "x.den-workspace", mimeType: "application/octet-stream", buffer: Buffer.from(text) });
        };
        await bring("broken");
        const dialog = page.locator("dialog");
        await dialog.getByText("the file is damaged: its sum does not fit").waitFor();
        await checkAccessibility(page, "import");
        await dialog.getByRole("button", { name: "Close" }).last().click();
        await bring("whole");
        await dialog.getByText(/“From a file \d+” is here\. Documents: 1\. Chats: 0\./).waitFor();
        await dialog.getByRole("button", { name: "Show it" }).click();
        await page.getByRole("button", { name: /Workspace: From a file/ }).waitFor();
        await page.locator(".document", { hasText: "lease.pdf" }).waitFor();
        assert.match(page.url(), /\/documents$/);
    });
});

test("everything goes out as one file; it is put back only after a word, and the page begins anew", async () => {
    await withPage({ path: "#/settings" }, async (page) => {
        const out = page.waitForEvent("download");
        await page.getByRole("link", { name: "Back up everything" }).click();
        assert.equal((await out).suggestedFilename(), "den-2026.den-backup");
        const chooser = page.waitForEvent("filechooser");
        await page.getByRole("button", { name: "Restore from a file" }).click();
        await (await chooser).setFiles({ name: "den-2026.den-backup", mimeType: "application/octet-stream", buffer: Buffer.from("broken") });
        const dialog = page.locator("dialog");
        await dialog.getByText("Replace everything here by what is in den-2026.den-backup (6 B)?").waitFor();
        const button = dialog.getByRole("button", { name: "Restore" });
        assert.ok(await button.isDisabled());
        await dialog.getByLabel("To be sure, write: restore").fill("yes");
        assert.ok(await button.isDisabled());
        await dialog.getByLabel("To be sure, write: restore").fill("Restore");
        await checkAccessibility(page, "restore");
        await page.keyboard.press("Enter");
        await dialog.getByText("its sum does not fit").waitFor();
        await dialog.getByRole("button", { name: "Cancel" }).click();
        await dialog.waitFor({ state: "detached" });
        const again = page.waitForEvent("filechooser");
        await page.getByRole("button", { name: "Restore from a file" }).click();
        await (await again).setFiles({ name: "den-2026.den-backup", mimeType: "application/octet-stream", buffer: Buffer.from("whole") });
        await dialog.getByLabel("To be sure, write: restore").fill("restore");
        await button.click();
        await dialog.getByText("Everything is restored. Documents: 4. Chats: 2.").waitFor();
        await page.evaluate(() => (globalThis.isOld = true));
        await dialog.getByRole("button", { name: "Load the page again" }).click();
        await page.locator("#composer").waitFor();
        await page.waitForFunction(() => !globalThis.isOld);
    });
});

test("the search is filtered and put in order again; what is chosen stays while other views are looked at", async () => {
    const { workspace, path } = seedPapers("Filters");
    const asked = () => desk().requests.findLast((one) => one.search)?.search;
    await withPage({ path: `${path}search/deposit` }, async (page) => {
        await page.locator(".hit").first().waitFor();
        assert.deepEqual(asked(), { query: "deposit", count: 10, workspace: workspace.id });
        await page.getByText("Filter", { exact: true }).click();
        await page.getByLabel("Kind of document").selectOption("sheets");
        await until(() => asked().formats);
        assert.deepEqual(asked().formats, ["sheets", "open_sheets", "csv"]);
        await page.getByLabel("Tags").pressSequentially("tax, 2024");
        await page.keyboard.press("Tab");
        await until(() => asked().tags);
        assert.deepEqual(asked().tags, ["tax", "2024"]);
        await page.getByLabel("Changed from").fill("2024-01-01");
        await page.getByLabel("Changed until").fill("2024-12-31");
        await until(() => asked().modified_until);
        assert.equal(asked().modified_until - asked().modified_from, 366 * 86400000 - 1);
        await page.getByLabel("Put in order once more").selectOption("cross_encoder");
        await page.getByText("Put in order once more by bge-reranker").waitFor();
        await page.getByText("reranked 21.2 ms").waitFor();
        assert.match((await page.locator(".hit").first().innerText()).replace(/\s+/g, " "), /Reranked #1 · 0\.875/);
        await checkAccessibility(page, "filters");
        await page.evaluate(() => (location.hash = "#/settings"));
        await page.getByLabel("Search settings").waitFor();
        await page.goBack();
        await page.locator(".hit").first().waitFor();
        assert.equal(await page.getByLabel("Tags").inputValue(), "tax, 2024");
        assert.equal(asked().rerank, "cross_encoder");
        await page.getByRole("button", { name: "No filter" }).click();
        await until(() => !asked().rerank && !asked().tags);
        assert.equal(await page.getByLabel("Tags").inputValue(), "");
    });
});

test("what is typed into a setting stays while others are changed elsewhere, and when the view goes away", async () => {
    const { workspace, path } = seedPapers("Typed");
    const kept = () => desk().workspaces.find(({ id }) => id === workspace.id);
    await withPage({ path: `${path}workspace` }, async (page) => {
        const field = page.getByRole("textbox", { name: "Instructions" });
        await field.pressSequentially("Answer ");
        Object.assign(kept(), { name: "Renamed elsewhere" });
        state.mock.tell("workspace", { id: workspace.id });
        await page.getByRole("button", { name: "Workspace: Renamed elsewhere" }).waitFor();
        assert.equal(await page.getByLabel("Name of the workspace").inputValue(), "Renamed elsewhere");
        await field.pressSequentially("briefly.");
        assert.equal(await field.inputValue(), "Answer briefly.");
        await page.evaluate((hash) => (location.hash = hash), `${path}documents`);
        await until(() => kept().system === "Answer briefly.");
        await page.getByLabel("Filter by name").pressSequentially("rents");
        await page.getByLabel("State").selectOption("ready"); /* at once: neither puts the other back */
        await page.waitForFunction(() => document.querySelectorAll(".document").length === 1);
        assert.equal(await page.getByLabel("State").inputValue(), "ready");
    });
});

for (const [colorScheme, locale] of [["light", "en-US"], ["dark", "zh-CN"]])
    test(`${colorScheme}, ${locale}: reports and memory in 360 pixels, without an accessibility fault`, async () => {
        const { workspace, path } = seedPapers(`Narrow ${locale}`);
        reports().create({ kind: "table", workspace: workspace.id, columns: [{ name: "Rent", description: "rent" }, { name: "Deposit", description: "d" }] });
        reports().create({ kind: "summary", workspace: workspace.id });
        const [table, summary] = reports().all.slice(-2);
        await until(() => table.state === "done" && summary.state === "done");
        reports().remember("A long thing to remember, which does not fit into one line of a telephone.", { state: "kept" });
        reports().remember("A proposal that does not fit into one line of a telephone either.");
        const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, colorScheme, locale, reducedMotion: "reduce" };
        await withPage({ ...phone, path: `${path}reports` }, async (page) => {
            const width = () => page.evaluate(() => Math.max(document.documentElement.scrollWidth,
                ...[...document.querySelectorAll(".main, .scroller, .view")].map((element) => element.scrollWidth)));
            for (const [view, sign] of [["reports", ".card"], [`reports/${table.id}`, ".report-table"], [`reports/${summary.id}`, ".prose"],
                                        ["reports/new", ".report-form"], ["documents", ".document"], ["search/deposit", ".hit"]]) {
                await page.evaluate((hash) => (location.hash = hash), path + view);
                await page.locator(sign).first().waitFor();
                if (view === "documents") await page.locator(".choose").first().check();
                if (view === "search/deposit") await page.locator(".search-filter summary").click();
                await checkAccessibility(page, view);
                assert.ok(await width() <= 360, `${view} is ${await width()} wide`);
            }
            await page.evaluate(() => (location.hash = "#/settings/memory"));
            await page.locator("#settings-memory .row").first().waitFor();
            await checkAccessibility(page, "memory");
            assert.ok(await width() <= 360, `memory is ${await width()} wide`);
        });
        reports().memories = [];
    });
