/* Workspaces, documents, answers with sources and search in Chromium against the mock. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, ask, checkAccessibility, focused } from "./browser.mjs";
import { choose, seedThread, useMock } from "./harness.mjs";

const state = useMock();
const { withPage } = state;
const desk = () => state.mock.desk;

/** Drops files (name, text) onto the page. */
const drop = (page, files) => page.evaluate((list) => {
    const dataTransfer = new DataTransfer();
    for (const [name, text] of list) dataTransfer.items.add(new File([text], name));
    for (const kind of ["dragover", "drop"])
        document.body.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
}, files);

/** A workspace with a document of each kind. */
function seedPapers(name) {
    const workspace = desk().seedWorkspace(name);
    const documents = ["house/lease.pdf", "rents.xlsx", "heating.eml"].map((one) => desk().seedDocument(workspace.id, one));
    return { workspace, documents, path: `#/in/${workspace.id}/` };
}
const nameOf = (page, name) => page.locator(".document", { hasText: name });

test("workspaces are made, chosen, renamed and deleted; each has its chats, and the address keeps it", async () => {
    await withPage({}, async (page) => {
        await ask(page, "outside");
        await answered(page);
        await choose(page, "Workspace: No workspace", "New workspace");
        await page.getByLabel("Name of the workspace").fill("Flat");
        await page.keyboard.press("Enter");
        await page.getByText("Nothing here yet").waitFor();
        assert.match(page.url(), /#\/in\/\w+\/documents$/);
        await page.locator(".chat-row", { hasText: "outside" }).waitFor({ state: "detached" });
        await page.getByRole("button", { name: "New chat" }).first().click();
        await ask(page, "inside");
        await answered(page);
        assert.equal(state.mock.requests.at(-1).thread.workspace, desk().workspaces[0].id);
        assert.match(page.url(), /#\/in\/\w+\/chat\/\w+$/);
        await page.reload();
        await page.getByRole("button", { name: "Workspace: Flat" }).waitFor();
        await page.locator(".chat-row", { hasText: "inside" }).waitFor();
        await choose(page, "Workspace “Flat”", "Rename");
        await page.getByLabel("Name of the workspace").fill("House");
        await page.keyboard.press("Enter");
        await page.getByRole("button", { name: "Workspace: House" }).click();
        await page.getByRole("menuitemradio", { name: "No workspace" }).click();
        await page.locator(".chat-row", { hasText: "outside" }).waitFor();
        await page.getByRole("button", { name: "Workspace: No workspace" }).press("Enter");
        await page.getByRole("menuitemradio", { name: "House" }).click();
        await choose(page, "Workspace “House”", "Delete workspace");
        await page.locator("dialog").getByRole("button", { name: "Delete" }).click();
        await page.getByRole("button", { name: "Workspace: No workspace" }).waitFor();
        await page.locator(".chat-row", { hasText: "inside" }).waitFor();
    });
});

test("a chat of a workspace that is opened by its bare address brings its workspace along", async () => {
    const { workspace } = seedPapers("Along");
    seedThread(state.mock, { id: "along", title: "in there" });
    state.mock.threads.find("along").workspace = workspace.id;
    await withPage({ path: "#/chat/along" }, async (page) => {
        await page.getByRole("button", { name: "Workspace: Along" }).waitFor();
        assert.ok(page.url().endsWith(`#/in/${workspace.id}/chat/along`), page.url());
    });
});

test("files are dropped, sent three at a time, and their states followed; failures are words and can be tried again", async () => {
    const workspace = desk().seedWorkspace("Inbox");
    desk().uploadMs = 30;
    desk().sendingMax = 0;
    await withPage({ path: `#/in/${workspace.id}/documents` }, async (page) => {
        await page.locator(".drop-zone").waitFor();
        await drop(page, [["a.pdf", "1"], ["b.txt", "22"], ["c.txt", "333"], ["bad.docx", "4"], ["d.txt", "5"], ["e.txt", "6"]]);
        await nameOf(page, "bad.docx").getByText("The file is damaged. (the file ends early)").waitFor();
        await page.waitForFunction(() => document.querySelectorAll(".document.is-ready").length === 5);
        assert.equal(desk().sendingMax, 3);
        assert.deepEqual(desk().requests.filter((one) => one.upload === "c.txt").map(({ length, workspace: place }) => [length, place]),
                         [[3, workspace.id]]);
        await checkAccessibility(page, "documents");
        await nameOf(page, "bad.docx").getByRole("button", { name: "Try again" }).click();
        await nameOf(page, "good.docx").and(page.locator(".is-ready")).waitFor();
        await page.getByLabel("Filter by name").fill("c.txt");
        await page.waitForFunction(() => document.querySelectorAll(".document").length === 1);
        await page.getByLabel("Filter by name").fill("no such");
        await page.getByText("No document has these words").waitFor();
    });
    desk().uploadMs = 0;
});

test("what the program refuses is said, with its reason, and sent again when asked", async () => {
    const workspace = desk().seedWorkspace("Full");
    await withPage({ path: `#/in/${workspace.id}/documents` }, async (page) => {
        await page.locator(".drop-zone").waitFor();
        await drop(page, [["refused.txt", "x"]]);
        const bar = page.getByRole("group", { name: "Sending files" });
        await bar.getByText("the disk is full").waitFor();
        const before = desk().requests.length;
        await bar.getByRole("button", { name: "Try again" }).click();
        while (desk().requests.length === before) await new Promise((resolve) => setTimeout(resolve, 20));
        await bar.getByText("the disk is full").waitFor();
        await bar.getByRole("button", { name: "Remove from the list: Sending files" }).click();
        await bar.waitFor({ state: "detached" });
    });
});

test("folders keep their paths, chosen files and web addresses come in, folders are watched", async () => {
    await withPage({ path: "#/documents" }, async (page) => {
        const chooser = page.waitForEvent("filechooser");
        await page.getByRole("button", { name: "Choose files" }).click();
        await (await chooser).setFiles([{ name: "first.txt", mimeType: "text/plain", buffer: Buffer.from("hello") }]);
        await page.getByRole("button", { name: "Workspace: My documents" }).waitFor();
        await nameOf(page, "first.txt").and(page.locator(".is-ready")).waitFor();
        await page.evaluate(() => {
            const file = (name) => ({ isFile: true, name, file: (give) => give(new File(["x"], name)) });
            const folder = (name, inside) => ({ isDirectory: true, name, createReader: () => {
                const left = [inside, []];
                return { readEntries: (give) => give(left.shift()) };
            } });
            const entry = folder("papers", [file("one.txt"), folder("2024", [file("two.txt")]), file(".hidden")]);
            const event = new DragEvent("drop", { bubbles: true, cancelable: true });
            Object.defineProperty(event, "dataTransfer", { value: { types: ["Files"], files: [], items: [{ webkitGetAsEntry: () => entry }] } });
            document.body.dispatchEvent(event);
        });
        await nameOf(page, "two.txt").waitFor();
        assert.deepEqual(desk().requests.flatMap(({ upload }) => upload ?? []).filter((one) => one.startsWith("papers/")).sort(),
                         ["papers/.hidden", "papers/2024/two.txt", "papers/one.txt"].filter((one) => !one.includes("/.")));
        await page.getByLabel("Web address").fill("example.org/page");
        await page.getByRole("button", { name: "Read the page" }).click();
        const web = page.getByRole("group", { name: "https://example.org/page" });
        await web.getByText("0 of 1 files · 2.5 files/s · 0:12 left").waitFor();
        await web.getByRole("button", { name: "Pause" }).click();
        await web.getByText("Paused").waitFor();
        await web.getByRole("button", { name: "Go on" }).click();
        await web.getByText("files/s").waitFor();
        await web.getByRole("button", { name: "Cancel" }).click();
        await web.waitFor({ state: "detached" });
        await page.getByText("Folders of the machine that Den runs on").click();
        await page.getByLabel("Path of a folder").fill("/srv/papers");
        await page.getByRole("button", { name: "Watch", exact: true }).click();
        await page.getByRole("button", { name: "Stop watching /srv/papers" }).click();
        await page.getByText("/srv/papers").waitFor({ state: "detached" });
    });
});

test("three thousand documents scroll with few rows in the page; one is pinned, tagged, removed", async () => {
    const workspace = desk().seedWorkspace("Many");
    for (let index = 0; index < 3000; index++) desk().seedDocument(workspace.id, `note ${index}.txt`);
    await withPage({ path: `#/in/${workspace.id}/documents` }, async (page) => {
        await nameOf(page, "note 2999.txt").waitFor();
        for (let turn = 0; turn < 4; turn++) {
            await page.locator(".scroller").evaluate((box) => (box.scrollTop = box.scrollHeight));
            await page.waitForFunction((count) => Number(document.querySelector(".document")?.getAttribute("aria-setsize")) > count,
                                       100 * (turn + 1));
        }
        assert.ok(await page.locator(".document").count() < 60);
        await page.locator(".scroller").evaluate((box) => (box.scrollTop = 0));
        const row = nameOf(page, "note 2998.txt");
        await row.getByRole("button", { name: "Always give" }).click();
        await row.locator("[aria-pressed=true]").waitFor();
        await choose(page, "Document “note 2998.txt”", "Tags");
        await page.getByLabel("Separated by commas").fill("tax, 2024");
        await page.keyboard.press("Enter");
        await row.getByText("tax, 2024").waitFor();
        await choose(page, "Document “note 2998.txt”", "Remove");
        await page.locator("dialog").getByRole("button", { name: "Remove" }).click();
        await row.waitFor({ state: "detached" });
        await page.locator(".document-name").first().click();
        await page.locator(".source-panel .part-text", { hasText: "The deposit" }).waitFor();
    });
    for (const [id, one] of desk().documents) if (one.workspaces.includes(workspace.id)) desk().documents.delete(id);
});

test("an answer's markers open the passage in its page; doubts are marked; the quotation is copied", async () => {
    const { path } = seedPapers("Papers");
    await withPage({ path }, async (page) => {
        await page.getByRole("button", { name: "Workspace: Papers" }).waitFor();
        const { threads } = state.mock;
        threads.hold = "searching";
        await ask(page, "what is the deposit?");
        await page.getByText("Searching your documents").waitFor();
        threads.hold = "found";
        await page.locator(".answer.running").getByText("Passages found: 3").waitFor();
        threads.hold = "end";
        await page.locator(".answer.running .citation").first().waitFor();
        threads.hold = "";
        await answered(page);
        const answer = page.locator(".answer").last();
        assert.equal(await answer.locator(".prose .citation").count(), 2);
        assert.equal(await answer.locator("code").innerText(), "a[1]");
        assert.match(await answer.innerText(), /And \[9\] is no source/);
        assert.equal((await answer.locator(".doubtful").innerText()).trim(), "The house is made of cheese.");
        await checkAccessibility(page, "answer with sources");
        const marker = page.getByRole("button", { name: "source 1: lease.pdf, page 1" });
        const pdf = page.locator(".citation.unsupported");
        assert.match(await pdf.getAttribute("aria-label"), /source 2: rents\.xlsx, sheet Rents\. The source does not clearly/);
        await marker.focus();
        await page.keyboard.press("Enter");
        const panel = page.getByRole("complementary", { name: "Source" });
        await panel.locator(".word-box").first().waitFor();
        const [box, picture] = await Promise.all([panel.locator(".word-box").first().boundingBox(), panel.locator(".page-picture").boundingBox()]);
        assert.ok(Math.abs((box.x - picture.x) / picture.width - 370 / 595) < 0.01, "the fifth word of the page");
        assert.ok(Math.abs((box.y - picture.y) / picture.height - 60 / 842) < 0.01);
        await checkAccessibility(page, "page");
        await panel.getByRole("button", { name: "Copy the quotation" }).click();
        assert.equal(await page.evaluate(() => navigator.clipboard.readText()),
                     "“The deposit is 1,200 euros.” (page 1, house/lease.pdf)");
        await panel.getByRole("button", { name: "Page behind" }).click();
        await panel.getByText("recognised in a picture").waitFor();
        assert.equal(await panel.locator(".word-box").count(), 0);
        assert.match(await panel.getByRole("link", { name: "Open the original" }).getAttribute("href"), /\/original#page=2$/);
        await panel.getByRole("button", { name: "Next passage" }).click();
        await panel.locator("tr.marked", { hasText: "January" }).waitFor();
        assert.deepEqual(await panel.locator("th").allInnerTexts(), ["B", "C", "3", "4", "5"]);
        await checkAccessibility(page, "sheet");
        await panel.getByRole("button", { name: "Next passage" }).click();
        await panel.locator("mark", { hasText: "The heating is repaired on Friday." }).waitFor();
        await panel.getByText("Subject: Heating").waitFor();
        await page.keyboard.press("Escape");
        await panel.waitFor({ state: "detached" });
        await focused(page, "citation");
        await answer.getByRole("button", { name: "How it was found (3)" }).click();
        const dialog = page.locator("dialog");
        await dialog.getByText("Your documents seem to answer this (83 %)").waitFor();
        assert.equal(await dialog.locator(".hit").count(), 3);
        await checkAccessibility(page, "how it was found");
        await dialog.getByRole("button", { name: "Search again" }).click();
        await page.getByText("240 passages searched · question understood in 4.1 ms").waitFor();
    });
});

test("nothing found is said; only from my documents is a switch of the workspace", async () => {
    const { workspace, path } = seedPapers("Nothing");
    desk().found = false;
    try {
        await withPage({ path }, async (page) => {
            const toggle = page.getByRole("switch", { name: "Only from my documents" });
            await toggle.waitFor();
            assert.equal(await toggle.getAttribute("aria-checked"), "false");
            await ask(page, "who won in 1954?");
            await answered(page);
            await page.getByText("Nothing in your documents matches; this answer is from the model’s own knowledge.").waitFor();
            await toggle.click();
            await page.locator(".only-documents[aria-checked=true]").waitFor();
            while (!desk().workspaces.find(({ id }) => id === workspace.id).retrieval.only_documents)
                await new Promise((resolve) => setTimeout(resolve, 20));
        });
    } finally {
        desk().found = true;
    }
});

test("files dropped on a chat belong to it alone", async () => {
    await withPage({}, async (page) => {
        await page.locator("#composer").waitFor();
        await drop(page, [["slow letter.pdf", "abc"], ["note.txt", "d"]]);
        const chip = (name) => page.locator(".chip", { hasText: name });
        await chip("note.txt").getByText("Ready").waitFor();
        await chip("slow letter.pdf").getByText("Being read").waitFor();
        const sent = desk().requests.findLast((one) => one.upload === "note.txt");
        assert.ok(sent.thread && !sent.workspace);
        assert.ok(page.url().endsWith(sent.thread));
        await page.getByRole("button", { name: "Remove note.txt" }).click();
        await chip("note.txt").waitFor({ state: "detached" });
        await page.reload();
        await chip("slow letter.pdf").waitFor();
        assert.equal(await page.locator(".chip").count(), 1);
    });
});

test("search shows what decided; the box behind Ctrl+K finds documents and passages", async () => {
    const { path } = seedPapers("Finder");
    await withPage({ path: `${path}search` }, async (page) => {
        await page.getByLabel("Question or words").fill("deposit / 100 %");
        await page.keyboard.press("Enter");
        await page.getByText("Searched for: deposit / 100 % (rewritten)").waitFor();
        const hit = page.locator(".hit").last();
        assert.match((await hit.innerText()).replace(/\s+/g, " "), /BM25\) #1 · 7\.25 Meaning \(cosine\) #2 · 0\.612 Fused 0\.0325 Prompt left out/);
        await checkAccessibility(page, "search");
        await page.locator(".hit").first().getByRole("button").click();
        await page.locator(".source-panel .word-box").first().waitFor();
        await page.keyboard.press("Escape");
        await page.keyboard.press("Control+K");
        await page.keyboard.type("lease");
        await page.getByRole("group", { name: "Documents" }).getByText("house/lease.pdf").waitFor();
        await page.getByRole("group", { name: "Passages" }).getByText("heating.eml").waitFor();
        await checkAccessibility(page, "palette");
        await page.getByRole("group", { name: "Documents" }).getByRole("option").first().click();
        await page.locator(".source-panel", { hasText: "lease.pdf" }).waitFor();
    });
});

for (const [colorScheme, locale] of [["light", "en-US"], ["dark", "zh-CN"]])
    test(`${colorScheme}, ${locale}: the settings of a workspace; no serious accessibility fault`, async () => {
        const { workspace, path } = seedPapers(`Settings ${locale}`);
        await withPage({ colorScheme, locale, reducedMotion: "reduce", path: `${path}workspace` }, async (page) => {
            await page.locator("#retrieval-count").fill("12");
            await page.locator(".view textarea").fill("Answer in one line.");
            await page.keyboard.press("Tab");
            const kept = () => desk().workspaces.find(({ id }) => id === workspace.id);
            while (kept().system !== "Answer in one line.") await new Promise((resolve) => setTimeout(resolve, 20));
            assert.equal(kept().retrieval.count, 12);
            await checkAccessibility(page, "workspace settings");
            await page.evaluate((hash) => (location.hash = hash), `${path}documents`);
            await page.locator(".document").first().waitFor();
            await checkAccessibility(page, "documents");
        });
    });

test("a phone shows documents, search and a source in 360 pixels", async () => {
    const { path } = seedPapers("Small");
    await withPage({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, path: `${path}documents` }, async (page) => {
        const width = () => page.evaluate(() => Math.max(document.documentElement.scrollWidth,
            ...[...document.querySelectorAll(".main, .scroller, .view, .panel, .composer")].map((element) => element.scrollWidth)));
        await page.locator(".document").first().waitFor();
        assert.ok(await width() <= 360, "documents");
        await page.locator(".document-name", { hasText: "lease" }).click();
        await page.locator(".page-picture img").waitFor().catch(async () => assert.fail(await page.locator("body").innerText()));
        assert.ok(await width() <= 360, "source");
        await page.getByRole("button", { name: "Close" }).click();
        for (const view of ["search/deposit", "workspace", ""]) {
            await page.evaluate((hash) => (location.hash = hash), path + view);
            await page.locator(".hit, #retrieval-count, #composer").first().waitFor();
            assert.ok(await width() <= 360, view);
        }
    });
});

test("where the program knows no workspaces, the page is plain chat and text files are attachments", async () => {
    desk().isOffered = false;
    try {
        await withPage({}, async (page) => {
            await page.waitForFunction(() => !document.querySelector(".workspace-bar"));
            await drop(page, [["notes.md", "# Käse"]]);
            await page.locator(".chip", { hasText: "notes.md" }).getByText("6 characters").waitFor();
        });
    } finally {
        desk().isOffered = true;
    }
});
