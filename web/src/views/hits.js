/* Hits: passages with the figures that put them where they are; for the search view and for "how it was
 * found" below an answer. */

import { html } from "../html.js";
import { formatNumber } from "../i18n.js";
import { t } from "../later_words.js";
import { sourceName } from "../components/citations.js";

/** @typedef {import("../types.js").Passage} Passage */

/** @param {number | null | undefined} value @param {number} digits */
const figure = (value, digits) => (typeof value === "number" && Number.isFinite(value) ? formatNumber(value, digits) : "–");

/** @param {{ page: import("../page.js").Page, hits: Passage[], cited?: Set<number> | null, onPick?: () => void }} props */
export function Hits({ page, hits, cited = null, onPick = () => {} }) {
    return html`<ol class="hits">${hits.map((hit, index) => html`<li key=${index} class="hit">
        <button type="button" class="hit-name" onClick=${() => { onPick(); page.showSource(hits, index); }}>
            <b>${hit.number ?? index + 1}</b><span>${sourceName(hit)}</span></button>
        ${hit.heading && html`<p class="hit-heading">${hit.heading}</p>`}
        <p class="hit-text" dir="auto">${hit.text}</p>
        <dl class="figures">
            <div><dt>${t("figureWords")}</dt><dd>${hit.word_rank ? `#${hit.word_rank} · ` : ""}${figure(hit.bm25, 2)}</dd></div>
            <div><dt>${t("figureCosine")}</dt><dd>${hit.vector_rank ? `#${hit.vector_rank} · ` : ""}${figure(hit.cosine, 3)}</dd></div>
            ${hit.fused !== undefined && html`<div><dt>${t("figureFused")}</dt><dd>${figure(hit.fused, 4)}</dd></div>`}
            ${typeof hit.rerank_score === "number" && html`<div><dt>${t("figureRerank")}</dt>
                <dd>${hit.rerank_rank ? `#${hit.rerank_rank} · ` : ""}${figure(hit.rerank_score, 3)}</dd></div>`}
            ${hit.in_prompt !== undefined && html`<div><dt>${t("figurePrompt")}</dt>
                <dd>${t(hit.in_prompt ? "wentIn" : "leftOut")}</dd></div>`}
            ${cited && html`<div><dt>${t("figureCited")}</dt><dd>${t(cited.has(hit.number ?? index + 1) ? "isCited" : "notCited")}</dd></div>`}
        </dl></li>`)}</ol>`;
}

/** @param {{ confidence: number | null | undefined, found: boolean }} props */
export function Confidence({ confidence, found }) {
    if (found && (confidence ?? 0) < 0.5) /* among few passages words alone can tell */
        return html`<p class="fit good"><span class="dot" />${t("foundByWords")}</p>`;
    return html`<p class="fit ${found ? "good" : "poor"}"><span class="dot" />${t(found ? "foundFact" : "notFoundFact",
        { confidence: typeof confidence === "number" ? formatNumber(100 * confidence, 0) : "–" })}</p>`;
}
