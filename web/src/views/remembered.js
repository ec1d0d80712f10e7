/* Remembered: below an answer, what it was told of the reader; below the last one, what Den would like to
 * remember, which it does only when it is let. */

import { html } from "../html.js";
import { t } from "../later_words.js";
import { focusComposer } from "../focus.js";
import { Icon } from "../components/icons.js";
import { useMemories } from "./memories.js";

/** @param {{ page: import("../page.js").Page, memories?: { id: string, text: string }[] | null, isLast: boolean }} props */
export function Remembered({ page, memories, isLast }) {
    const all = useMemories(page);
    const asked = isLast && page.settings.memory ? all.of("proposed").filter(({ thread }) => thread === page.open.id) : [];
    return html`
        ${memories && memories.length > 0 && html`<details class="reasoning remembered">
            <summary>${t("usedMemories", { count: memories.length })}</summary>
            <ul>${memories.map((one) => html`<li key=${one.id} dir="auto">${one.text}</li>`)}</ul>
            <p><a href="#/settings/memory">${t("changeMemories")}</a></p></details>`}
        ${asked.map((one) => html`<${Proposal} key=${one.id} memories=${all} memory=${one} />`)}`;
}

/** @param {{ memories: import("./memories.js").Memories, memory: import("../types.js").Memory }} props */
function Proposal({ memories, memory: { id, text } }) {
    const answer = (/** @type {Promise<boolean | undefined>} */ work) => void work.then((isDone) => isDone && focusComposer());
    return html`<div class="proposal" role="group" aria-label=${t("proposal")}>
        <p><${Icon} name="pin" /><span>${t("remember", { text })}</span></p>
        <button type="button" class="button" onClick=${() => answer(memories.change(id, { state: "kept" }))}>${t("keepMemory")}</button>
        <button type="button" class="button" onClick=${() => answer(memories.remove(id))}>${t("no")}</button></div>`;
}
