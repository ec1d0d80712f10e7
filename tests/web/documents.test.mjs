/* Documents with the real program: files are dropped, read and indexed, a question is answered from them,
 * and its marker opens the passage in its page. Needs a chat model; with an embedding model beside it,
 * passages are found by their meaning too. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { answered, ask, checkAccessibility, launch, openPage } from "./browser.mjs";
import { choose } from "./harness.mjs";
import { startServer } from "./server.mjs";

let browser, server, folder;
before(async () => {
    folder = mkdtempSync(join(tmpdir(), "den-files-"));
    server = await startServer();
    browser = await launch();
});
after(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
});

async function withPage(options, body) {
    const page = await openPage(browser, server.url, options);
    try {
        await body(page);
        assert.deepEqual(await page.faults(), []);
    } finally {
        await page.context().close();
    }
}

/** A PDF with one line of text a page. */
function makePdf(lines) {
    const kids = lines.map((_, index) => `${4 + 2 * index} 0 R`).join(" ");
    const bodies = ["<< /Type /Catalog /Pages 2 0 R >>", `<< /Type /Pages /Kids [${kids}] /Count ${lines.length} >>`,
                    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"];
    lines.forEach((line, index) => {
        const drawn = `BT /F1 14 Tf 72 700 Td (${line.replace(/[()\\]/g, "\\$&")}) Tj ET`;
        bodies.push(`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${5 + 2 * index} 0 R ` +
            "/Resources << /Font << /F1 3 0 R >> >> >>", `<< /Length ${drawn.length} >>\nstream\n${drawn}\nendstream`);
    });
    let text = "%PDF-1.4\n";
    const places = bodies.map((body, index) => {
        const at = text.length;
        text += `${index + 1} 0 obj\n${body}\nendobj\n`;
        return at;
    });
    const table = places.map((at) => `${String(at).padStart(10, "0")} 00000 n \n`).join("");
    const start = text.length;
    return `${text}xref\n0 ${bodies.length + 1}\n0000000000 65535 f \n${table}trailer\n` +
        `<< /Size ${bodies.length + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`;
}

const FILES = [
    ["lease.pdf", makePdf(["This is the lease of the flat in Harbour Street 12.",
                           "The deposit is 1250 euros and is returned within thirty days."])],
    ["recipe.md", "# Bread\n\nMix flour, water, salt and yeast. Bake the bread for forty minutes at 220 degrees.\n"],
    ["rents.csv", "Month,Rent\nJanuary,900\nFebruary,905\nMarch,910\n"],
];

const drop = (page, files) => page.evaluate((list) => {
    const dataTransfer = new DataTransfer();
    for (const [name, text] of list) dataTransfer.items.add(new File([text], name));
    for (const kind of ["dragover", "drop"])
        document.body.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
}, files);

/* All are read; in vain, what the page shows and what the program knows of them. */
const allRead = async (page, count) => {
    try {
        await page.waitForFunction((wanted) =>
            document.querySelectorAll(".document.is-ready, .document.is-failed").length === wanted, count);
    } catch (error) {
        console.log(await page.locator("main").innerText());
        console.log(await (await page.request.get(`${server.url}/api/documents`)).text());
        console.log(await (await page.request.get(`${server.url}/api/jobs`)).text());
        throw error;
    }
};

test("three files are dropped and read; the answer's source opens at its place in the page", async () => {
    await withPage({ path: "#/documents" }, async (page) => {
        await page.locator(".drop-zone").waitFor();
        await drop(page, FILES);
        await page.getByRole("button", { name: "Workspace: My documents" }).waitFor();
        await allRead(page, 3);
        assert.equal(await page.locator(".document.is-failed").count(), 0, await page.locator(".document-list").innerText());
        await page.locator(".document", { hasText: "lease.pdf" }).getByText("2 pages or parts").waitFor();
        await checkAccessibility(page, "documents");

        await page.getByRole("button", { name: "New chat" }).first().click();
        await ask(page, "How much is the deposit of the flat?");
        await answered(page);
        assert.equal(await page.locator(".failure").count(), 0);
        const answer = page.locator(".answer").last();
        await answer.locator(".source-row").waitFor();
        console.log((await answer.locator(".prose").innerText()).slice(0, 300));
        const source = answer.locator(".prose .citation, .source-row button").filter({ hasText: /\d/ });
        await source.first().click();
        const panel = page.getByRole("complementary", { name: "Source" });
        await panel.locator(".word-box, mark").first().waitFor();
        await page.keyboard.press("Escape");

        /* Whatever a small model cites: the passage about the deposit was found, and is on page 2. */
        await answer.getByRole("button", { name: /How it was found/ }).click();
        await page.locator("dialog .hit", { hasText: "1250 euros" }).getByRole("button").click();
        await panel.locator(".word-box").first().waitFor();
        await panel.getByText("page 2").first().waitFor();
        const size = await panel.locator(".page-picture img").evaluate((image) => image.decode().then(() => image.naturalWidth));
        assert.ok(size >= 600, `the page's picture is ${size} pixels wide`);
        const [box, picture] = await Promise.all([panel.locator(".word-box").first().boundingBox(), panel.locator(".page-picture").boundingBox()]);
        const at = (box.y + box.height / 2 - picture.y) / picture.height;
        assert.ok(Math.abs(at - (792 - 705) / 792) < 0.03, `the line is marked at ${at} of the page`);
        const original = await page.request.get(server.url + (await panel.getByRole("link", { name: "Open the original" }).getAttribute("href")).split("#")[0]);
        assert.equal((await original.body()).toString("latin1"), FILES[0][1]);
        await checkAccessibility(page, "source");

        await page.reload();
        await page.locator(".source-row").waitFor();
        await page.getByRole("button", { name: "Workspace: My documents" }).waitFor();
    });
});

async function enter(page) {
    await page.getByRole("button", { name: "Workspace: No workspace" }).click();
    await page.getByRole("menuitemradio", { name: "My documents" }).click();
}

/** Waits for the report that is open to end, and demands that it did not fail. */
async function written(page) {
    await page.locator(".report[aria-busy=false]").waitFor({ timeout: 0 });
    assert.equal(await page.locator(".report .problem").count(), 0, await page.locator(".report").innerText());
}

test("a summary of three documents is written while another view is looked at, and its sources open", async () => {
    await withPage({}, async (page) => {
        await enter(page);
        await page.getByRole("link", { name: "Reports" }).click();
        await page.getByRole("link", { name: "New report" }).click();
        await page.getByText("The whole workspace: 3 documents").first().waitFor();
        await page.getByRole("button", { name: "Start" }).click();
        await page.locator(".report").waitFor();
        await page.getByRole("link", { name: "All reports" }).click();
        await page.locator(".card h3 a").click();
        await written(page);
        const text = await page.locator(".report .prose").innerText();
        console.log(text.slice(0, 500));
        assert.ok(text.trim().length > 40, text);
        const panel = page.getByRole("complementary", { name: "Source" });
        await page.locator(".report .prose .citation").first().click();
        await panel.locator(".word-box, mark").first().waitFor();
        await page.keyboard.press("Escape");
        await checkAccessibility(page, "report");
        const file = page.waitForEvent("download");
        await page.getByRole("button", { name: "Markdown" }).click();
        assert.match(readFileSync(await (await file).path(), "utf8"), /lease\.pdf/);
        await page.reload();
        await page.locator(".report .prose").waitFor();
    });
});

test("a table of ticked documents has a row each, whose cells open their place, and goes out as CSV", async () => {
    await withPage({}, async (page) => {
        await enter(page);
        await page.getByRole("link", { name: "Documents" }).click();
        await page.waitForFunction(() => document.querySelectorAll(".choose:enabled").length === 3);
        for (const box of await page.locator(".choose").all()) await box.check();
        await page.getByRole("group", { name: "Chosen documents" }).getByRole("button", { name: "Table" }).click();
        await page.getByLabel("Name of column 1").fill("Amount");
        await page.getByLabel("What column 1 holds").fill("the first amount of money that is named, in euros");
        await page.getByRole("button", { name: "Start" }).click();
        await written(page);
        const rows = page.locator(".report-table tbody tr");
        assert.equal(await rows.count(), 3);
        console.log((await page.locator(".report-table").innerText()).replace(/\s+/g, " "));
        const cells = page.locator(".report-table .cell");
        if (await cells.count()) {
            await cells.first().click();
            await page.getByRole("complementary", { name: "Source" }).locator(".word-box, mark").first().waitFor();
            await page.keyboard.press("Escape");
        }
        const file = page.waitForEvent("download");
        await page.getByRole("button", { name: "CSV", exact: true }).click();
        const lines = readFileSync(await (await file).path(), "utf8").trim().split("\n");
        assert.equal(lines.length, 4);
        assert.match(lines[0], /Amount/);
        for (const [name] of FILES) assert.ok(lines.some((line) => line.includes(name)), name);
    });
});

test("what is kept in memory is told to the model, which the answer says; forgotten, it is gone from there", async () => {
    await withPage({ path: "#/settings/memory" }, async (page) => {
        await page.getByRole("switch", { name: /Remember things about me/ }).check();
        await page.getByLabel("Something to remember").fill("My cat is called Mia.");
        await page.keyboard.press("Enter");
        const row = page.locator("#settings-memory .row", { hasText: "Mia" });
        await row.waitFor();
        await page.getByRole("button", { name: "New chat" }).first().click();
        await page.locator("#composer").waitFor();
        await page.getByRole("button", { name: "This chat" }).click(); /* short answers: a small model can go on for long */
        await page.getByText("Advanced sampling").click();
        await page.getByLabel("Longest answer").fill("40");
        await page.keyboard.press("Tab");
        await page.locator(".panel").getByRole("button", { name: "Close" }).click();
        await ask(page, "I live in Bergen.");
        await answered(page);
        const proposal = page.getByRole("group", { name: "Proposed to remember" });
        await proposal.getByText(/Bergen/).waitFor();
        console.log(await proposal.innerText());
        await proposal.getByRole("button", { name: "Keep" }).click();
        await proposal.waitFor({ state: "detached" });
        await ask(page, "What is my cat called?");
        await answered(page);
        assert.equal(await page.locator(".failure").count(), 0);
        const used = page.locator(".answer").last().locator(".remembered");
        await used.getByText("Used what Den remembers of you (2)").click();
        await used.getByText(/Bergen/).waitFor();
        await used.getByText("My cat is called Mia.").waitFor();
        await used.getByRole("link", { name: "Change what is remembered" }).click();
        await page.getByRole("button", { name: "Delete: My cat is called Mia." }).click();
        await row.waitFor({ state: "detached" });
        await page.goBack();
        for (const turn of ["at once", "after a reload"]) {
            await used.getByText("Used what Den remembers of you (1)").click();
            assert.equal(await used.getByText("Mia").count(), 0, turn);
            await page.reload();
        }
    });
});

test("search shows what decided; a document is found by its name and its words", async () => {
    await withPage({}, async (page) => {
        await enter(page);
        await page.getByRole("link", { name: "Search" }).click();
        await page.getByLabel("Question or words").fill("how long does bread bake");
        await page.keyboard.press("Enter");
        const hit = page.locator(".hit").first();
        await hit.getByText("forty minutes").waitFor();
        assert.match(await hit.innerText(), /#1/);
        await page.keyboard.press("Control+K");
        await page.keyboard.type("rents");
        await page.getByRole("group", { name: "Documents" }).getByText("rents.csv").waitFor();
        await page.keyboard.press("Escape");
        await page.locator("dialog").waitFor({ state: "detached" });
        await page.getByRole("link", { name: "Documents" }).click();
        await page.locator(".document-name", { hasText: "rents.csv" }).click();
        await page.locator(".source-panel td", { hasText: "February" }).waitFor();
    });
});

test("a file dropped on a chat is read for this chat alone", async () => {
    await withPage({}, async (page) => {
        await page.locator(".workspace-bar").waitFor();
        await drop(page, [["password.txt", "The password of the garden gate is marmalade."]]);
        await page.locator(".chip", { hasText: "password.txt" }).getByText("Ready").waitFor();
        await ask(page, "What is the password of the garden gate?");
        await answered(page);
        await page.locator(".source-row", { hasText: "password.txt" }).waitFor();
        await page.getByRole("button", { name: "New chat" }).first().click();
        assert.equal(await page.locator(".chip").count(), 0);
    });
});

test("a damaged file fails in words", async () => {
    await withPage({}, async (page) => {
        await page.getByRole("link", { name: "Documents" }).click();
        await page.locator(".drop-zone").waitFor();
        await drop(page, [["broken.pdf", "%PDF-1.4\nnothing more"]]);
        const row = page.locator(".document.is-failed", { hasText: "broken.pdf" });
        await row.waitFor();
        console.log((await row.innerText()).replace(/\s+/g, " "));
        await row.getByRole("button", { name: "Try again" }).waitFor();
    });
});

/** Saves what a link gives. @returns {Promise<string>} the path of the file, under its own name */
async function fetched(page, name) {
    const coming = page.waitForEvent("download");
    await page.getByRole("link", { name }).click();
    const file = await coming;
    const path = join(folder, file.suggestedFilename());
    await file.saveAs(path);
    return path;
}

test("a workspace goes out as a file and comes in beside itself, with its documents", async () => {
    await withPage({}, async (page) => {
        await enter(page);
        await choose(page, "Workspace “My documents”", "Workspace settings");
        const path = await fetched(page, "Export this workspace");
        assert.match(path, /My documents\.den-workspace$/);
        const chooser = page.waitForEvent("filechooser");
        await choose(page, "Workspace: My documents", "Import a workspace");
        await (await chooser).setFiles(path);
        const dialog = page.locator("dialog");
        await dialog.getByText(/is here\. Documents: \d+\. Chats: \d+\./).waitFor();
        console.log(await dialog.getByRole("status").innerText());
        await dialog.getByRole("button", { name: "Show it" }).click();
        await page.locator(".document.is-ready", { hasText: "lease.pdf" }).waitFor();
        const bad = page.waitForEvent("filechooser");
        await choose(page, /^Workspace: /, "Import a workspace");
        await (await bad).setFiles({ name: "x.den-workspace", mimeType: "application/octet-stream", buffer: Buffer.from("no zip") });
        await dialog.locator(".problem").waitFor();
        console.log(await dialog.locator(".problem").innerText());
    });
});

test("everything goes out as a file; what was lost since is there again when it was put back", async () => {
    await withPage({ path: "#/settings" }, async (page) => {
        const path = await fetched(page, "Back up everything");
        await page.getByRole("link", { name: "Documents" }).click();
        await choose(page, "Document “lease.pdf”", "Remove");
        await page.locator("dialog").getByRole("button", { name: "Remove" }).click();
        await page.locator(".document", { hasText: "lease.pdf" }).waitFor({ state: "detached" });
        await page.getByRole("link", { name: "Settings" }).click();
        const chooser = page.waitForEvent("filechooser");
        await page.getByRole("button", { name: "Restore from a file" }).click();
        await (await chooser).setFiles(path);
        const dialog = page.locator("dialog");
        await dialog.getByLabel("To be sure, write: restore").fill("restore");
        await dialog.getByRole("button", { name: "Restore", exact: true }).click();
        await dialog.getByText(/Everything is restored\. Documents: \d+\./).waitFor();
        await dialog.getByRole("button", { name: "Load the page again" }).click();
        await page.locator("#composer").waitFor();
        await page.getByRole("link", { name: "Documents" }).click();
        await page.locator(".document.is-ready", { hasText: "lease.pdf" }).click();
        await page.locator(".source-panel .page-picture img").evaluate((image) => image.decode());
    });
});
