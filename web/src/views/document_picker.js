/* Document picker: documents with boxes to tick, found by their names, by pages of the program's list.
 * Only those that are ready can be written about. */

import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../later_words.js";
import { useDocuments } from "./documents_list.js";

/** @typedef {{ id: string, name: string }} Chosen */

const TYPING_MS = 200;

/** @param {{ page: import("../page.js").Page, chosen: Chosen[], onChoose(one: Chosen, isOn: boolean): void }} props */
export function DocumentPicker({ page, chosen, onChoose }) {
    const [typed, setTyped] = useState("");
    const [q, setQuery] = useState("");
    const list = useDocuments(page, page.workspaces.id, { q, state: "ready" });
    useEffect(() => {
        const timer = setTimeout(() => setQuery(typed.trim()), TYPING_MS);
        return () => clearTimeout(timer);
    }, [typed]);
    const ticked = new Set(chosen.map(({ id }) => id));
    return html`<div class="picker">
        <input type="search" value=${typed} aria-label=${t("filterDocuments")} placeholder=${t("filterDocuments")}
            onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} />
        <div class="picker-list" role="group" aria-label=${t("chooseDocuments")} aria-busy=${!list.isLoaded}>
            ${list.all.map(({ id, name, title }) => html`<label key=${id} class="tick">
                <input type="checkbox" checked=${ticked.has(id)}
                    onChange=${(/** @type {any} */ event) => onChoose({ id, name: title || name }, event.target.checked)} />
                <span dir="auto" title=${name}>${title || name.split("/").at(-1)}</span></label>`)}
            ${list.isLoaded && !list.all.length && html`<p class="nothing">${t(q ? "noDocumentFound" : "noDocuments")}</p>`}
            ${list.next && html`<button type="button" class="button" onClick=${() => list.load(true)}>${t("showMore")}</button>`}
        </div></div>`;
}
