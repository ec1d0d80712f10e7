/* Harness: a browser and the mock for one test file, and pages that are held to account. */

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { launch, openPage } from "./browser.mjs";
import { startMock } from "./mock.mjs";

/** `state.mock` is fresh for the file; withPage() runs `body` with a fresh page and then demands that
 * nothing went wrong unseen. */
export function useMock() {
    const state = { browser: null, mock: null, withPage };
    before(async () => {
        state.mock = await startMock();
        state.browser = await launch();
    });
    after(async () => {
        await state.browser?.close();
        state.mock?.close();
    });
    async function withPage(options, body) {
        const page = await openPage(state.browser, state.mock.url, options);
        try {
            await body(page);
            assert.deepEqual(await page.faults(), []);
        } finally {
            await page.context().close();
        }
    }
    return state;
}

/** Opens a menu by its name and chooses. */
export async function choose(page, menu, item) {
    await page.getByRole("button", { name: menu }).click();
    await page.getByRole("menu").getByRole(/menuitem/.test(item) ? item : "menuitem", { name: item }).click();
}

/** Puts a finished conversation of `turns` question-answer pairs into the mock. */
export function seedThread(mock, { id, title, turns = 1, folder = null, text = (index) => `answer ${index}`, updated = Date.now() }) {
    const messages = [];
    for (let index = 0; index < turns; index++)
        for (const role of ["user", "assistant"])
            messages.push({ id: `${id}-${role[0]}${index}`, parent: messages.at(-1)?.id ?? null, role, reasoning: "",
                            content: role === "user" ? `question ${index}` : text(index), created: updated - 1000 + messages.length,
                            model: "smollm2", finish: "stop", error: null, measures: null, attachments: [], seq: 1 });
    mock.threads.threads.set(id, { id, title, renamed: true, folder, pinned: false, created: updated, updated, model: "",
                                   preview: "", system: "", parameters: {}, head: messages.at(-1).id, messages });
}
