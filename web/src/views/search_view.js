/* Search view: passages for a question, with everything that decided their order. `#/search/QUESTION`. */

import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { formatNumber } from "../i18n.js";
import { t } from "../later_words.js";
import { call, toFailure } from "../api.js";
import { Confidence, Hits } from "./hits.js";
import { filterOf, requestOfFilter, SearchFilter } from "./search_filter.js";

const COUNTS = [5, 10, 20, 50];

/** @param {{ page: import("../page.js").Page }} props */
export function SearchView({ page }) {
    const { id: workspace, isOffered } = page.workspaces;
    const query = page.detail;
    const [draft, setDraft] = useState({ query, text: query }); /* another query leaves it behind */
    const typed = draft.query === query ? draft.text : query;
    const [count, setCount] = useState(10);
    const [, redraw] = useReducer((/** @type {number} */ turns) => turns + 1, 0);
    const filter = requestOfFilter(filterOf(page));
    const [reply, setReply] = useState(/** @type {any} */ (null));
    const [problem, setProblem] = useState("");
    const [isBusy, setBusy] = useState(false);
    const turn = useRef(0);
    useEffect(() => {
        setProblem("");
        if (!query || !isOffered) return void setReply(null);
        const mine = ++turn.current;
        setBusy(true);
        call("POST", "/api/search", { query, count, ...filter, ...(workspace && { workspace }) }).then(setReplyIf, (error) => {
            if (mine !== turn.current) return;
            page.note(error);
            setProblem(toFailure(error).detail);
            setBusy(false);
        });
        function setReplyIf(/** @type {any} */ found) {
            if (mine !== turn.current) return;
            setReply(found);
            setBusy(false);
        }
    }, [query, count, workspace, isOffered, JSON.stringify(filter)]);
    if (!isOffered)
        return html`<div class="scroller"><div class="view"><p class="nothing">${t("notOffered")}</p></div></div>`;
    const submit = (/** @type {Event} */ event) => {
        event.preventDefault();
        page.go("search", encodeURIComponent(typed.trim()));
    };
    return html`<div class="scroller"><div class="view wide search-view" aria-busy=${isBusy}>
        <form class="in-line" role="search" onSubmit=${submit}>
            <input type="search" value=${typed} autofocus aria-label=${t("searchQuestion")} placeholder=${t("searchQuestion")}
                onInput=${(/** @type {any} */ event) => setDraft({ query, text: event.target.value })} />
            <select class="framed" aria-label=${t("hitCount")} value=${count}
                onChange=${(/** @type {any} */ event) => setCount(Number(event.target.value))}>
                ${COUNTS.map((one) => html`<option value=${one} selected=${one === count}>${t("hitsWanted", { count: one })}</option>`)}</select>
            <button type="submit" class="button primary" disabled=${!typed.trim()}>${t("search")}</button></form>
        <${SearchFilter} page=${page} onChange=${() => redraw(0)} />
        ${!query && html`<p class="note">${t("searchHelp")}</p>`}
        ${problem && html`<p class="problem" role="alert">${problem}</p>`}
        ${reply && query && !problem && html`<${Found} page=${page} reply=${reply} query=${query} />`}
    </div></div>`;
}

/** @param {{ page: import("../page.js").Page, reply: any, query: string }} props */
function Found({ page, reply, query }) {
    const { hits = [], confidence, found, searched, seconds = {}, query: asked, reranked_by: by } = reply;
    const times = [["timeEmbed", seconds.embed], ["timeWords", seconds.words], ["timeVectors", seconds.vectors], ["timeFuse", seconds.fuse], ["timeRerank", by && seconds.rerank]];
    return html`<section aria-label=${t("passages")}>
        <${Confidence} confidence=${confidence} found=${found} />
        ${asked && asked !== query && html`<p class="note">${t("askedAs", { query: asked })}</p>`}
        ${by && html`<p class="note">${t("rerankedBy", { name: by })}</p>`}
        <p class="facts" role="status">${[t("searchedFact", { count: formatNumber(searched ?? 0) }),
            ...times.filter(([, value]) => typeof value === "number").map(([key, value]) =>
                t(/** @type {any} */ (key), { ms: formatNumber(1000 * value, 1) }))].join(" · ")}</p>
        ${hits.length ? html`<${Hits} page=${page} hits=${hits} />` : html`<p class="nothing">${t("noPassages")}</p>`}</section>`;
}
