/* Chosen: the documents that are ticked in the list, and what can be done with them together. They stay
 * ticked while the list is filtered; another workspace begins with none. */

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { formatNumber } from "../i18n.js";
import { t } from "../later_words.js";
import { Icon, IconButton } from "../components/icons.js";
import { beginReport } from "./report_draft.js";

/** @typedef {import("../types.js").Document} Document */
/** @typedef {{ all: Map<string, string>, set(document: Document, isOn: boolean): void,
 *   fill(documents: Document[]): void }} Choosing the names of what is chosen, by id */

/** @param {string} workspace @returns {Choosing} */
export function useChosen(workspace) {
    const [chosen, setChosen] = useState({ workspace, all: /** @type {Map<string, string>} */ (new Map()) });
    const all = chosen.workspace === workspace ? chosen.all : new Map();
    const change = (/** @type {(all: Map<string, string>) => void} */ work) => setChosen((before) => {
        const next = new Map(before.workspace === workspace ? before.all : []);
        work(next);
        return { workspace, all: next };
    });
    return {
        all,
        set: ({ id, name, title }, isOn) => change((now) => void (isOn ? now.set(id, title || name) : now.delete(id))),
        fill: (documents) => change((now) => {
            now.clear();
            for (const { id, name, title } of documents) now.set(id, title || name);
        }),
    };
}

/** @param {{ page: import("../page.js").Page, chosen: Choosing, list: import("./documents_list.js").DocumentsList }} props */
export function Chosen({ page, chosen, list }) {
    const { size } = chosen.all;
    if (!size) return null;
    const ready = list.all.filter(({ state }) => state === "ready");
    const begin = (/** @type {import("../types.js").ReportKind} */ kind) => () =>
        beginReport(page, kind, [...chosen.all].map(([id, name]) => ({ id, name })));
    return html`<div class="chosen" role="group" aria-label=${t("chosenDocuments")}>
        <span class="count" role="status">${t("chosenCount", { count: formatNumber(size) })}</span>
        <button type="button" class="button" onClick=${begin("summary")}><${Icon} name="report" />${t("summarise")}</button>
        <button type="button" class="button" disabled=${size !== 2} title=${size === 2 ? "" : t("twoDocuments")}
            onClick=${begin("comparison")}>${t("compare")}</button>
        <button type="button" class="button" onClick=${begin("table")}>${t("makeTable")}</button>
        ${ready.length > size && html`<button type="button" class="button" onClick=${() => chosen.fill(ready)}>${t("chooseShown")}</button>`}
        <${IconButton} icon="close" label=${t("chooseNone")} onClick=${() => chosen.fill([])} /></div>`;
}
