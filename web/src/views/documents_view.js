/* Documents view: what this workspace answers from: ways in at the top, work under way, and the list. Of
 * the list only the rows that are seen are drawn, at a fixed height, so that thousands scroll smoothly. */

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { formatNumber } from "../i18n.js";
import { t } from "../later_words.js";
import { beginWorkspace } from "../commands.js";
import { Chosen, useChosen } from "./chosen.js";
import { DocumentRow } from "./document_row.js";
import { useDocuments } from "./documents_list.js";
import { JobBars } from "./job_bars.js";
import { WaysIn } from "./ways_in.js";

/** @typedef {import("../page.js").Page} Page */

const ROW_PX = 64;
const SPARE_ROWS = 8;
const TYPING_MS = 200;

/** @type {[string, import("../i18n.js").StringKey][]} */
const STATES = [["", "allStates"], ["ready", "documentReady"], ["waiting", "stateWaiting"], ["reading", "documentReading"],
                ["embedding", "documentEmbedding"], ["failed", "stateFailed"]];

/** @param {{ page: Page }} props */
export function DocumentsView({ page }) {
    const { workspaces } = page;
    const [typed, setTyped] = useState("");
    const [filter, setFilter] = useState({ q: "", state: "" });
    const scroller = useRef(/** @type {HTMLElement | null} */ (null));
    const list = useDocuments(page, workspaces.id, filter);
    const chosen = useChosen(workspaces.id);
    useEffect(() => {
        const timer = setTimeout(() => setFilter((now) => (now.q === typed.trim() ? now : { ...now, q: typed.trim() })), TYPING_MS);
        return () => clearTimeout(timer);
    }, [typed]);
    if (!workspaces.isOffered)
        return html`<div class="scroller"><div class="view"><p class="nothing">${t("notOffered")}</p></div></div>`;
    const isFiltered = !!filter.q || !!filter.state;
    const total = workspaces.current && !isFiltered ? Math.max(workspaces.current.documents, list.all.length) : list.all.length;
    return html`<div class="scroller" ref=${scroller}><div class="view wide documents">
        ${workspaces.isLoaded && !workspaces.id && html`<p class="note">${t("documentsNoWorkspace")}
            <button type="button" class="button" onClick=${() => beginWorkspace(page)}>${t("newWorkspace")}</button></p>`}
        <${WaysIn} page=${page} />
        <${JobBars} page=${page} />
        <section aria-label=${t("documents")}>
            <div class="list-head">
                <input type="search" value=${typed} aria-label=${t("filterDocuments")} placeholder=${t("filterDocuments")}
                    onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} />
                <select class="framed" aria-label=${t("state")} value=${filter.state}
                    onChange=${(/** @type {any} */ event) => setFilter((now) => ({ ...now, state: event.target.value }))}>
                    ${STATES.map(([value, label]) => html`<option value=${value} selected=${value === filter.state}>${t(label)}</option>`)}</select>
                <span class="count" role="status">${list.isLoaded ? t(list.next ? "documentsMore" : "documentsCount",
                    { count: formatNumber(total) }) : ""}</span>
            </div>
            <${Chosen} page=${page} chosen=${chosen} list=${list} />
            ${list.isLoaded && !list.all.length && html`<p class="nothing">${t(isFiltered ? "noDocumentFound" : "noDocuments")}</p>`}
            <${Rows} page=${page} list=${list} scroller=${scroller} chosen=${chosen} />
        </section>
    </div></div>`;
}

/** @param {{ page: Page, list: import("./documents_list.js").DocumentsList, scroller: { current: HTMLElement | null },
 *   chosen: import("./chosen.js").Choosing }} props */
function Rows({ page, list, scroller, chosen }) {
    const place = useRef(/** @type {HTMLElement | null} */ (null));
    const [seen, setSeen] = useState({ from: 0, to: 30 });
    useEffect(() => {
        const box = scroller.current;
        if (!box) return undefined;
        const look = () => {
            if (!place.current) return;
            const above = box.getBoundingClientRect().top - place.current.getBoundingClientRect().top;
            const from = Math.max(0, Math.floor(above / ROW_PX) - SPARE_ROWS);
            const to = Math.ceil((above + box.clientHeight) / ROW_PX) + SPARE_ROWS;
            setSeen((before) => (before.from === from && before.to === to ? before : { from, to }));
            if (to >= list.all.length) list.load(true);
        };
        look();
        box.addEventListener("scroll", look, { passive: true });
        addEventListener("resize", look);
        return () => {
            box.removeEventListener("scroll", look);
            removeEventListener("resize", look);
        };
    }, [list, list.all.length]);
    const { all } = list;
    return html`<ul class="document-list" ref=${place} style=${{ height: `${all.length * ROW_PX}px` }}
        aria-label=${t("documents")} hidden=${!all.length}>
        ${all.slice(seen.from, seen.to).map((document, index) => html`
            <${DocumentRow} key=${document.id} page=${page} document=${document} list=${list} chosen=${chosen} index=${seen.from + index}
                count=${all.length} top=${(seen.from + index) * ROW_PX} />`)}</ul>`;
}
