/* Citations: the markers in an answer, "[1]", as buttons that open the passage they stand for.
 *
 * A marker is found in the source before it is cut into blocks and becomes a private sign that no text
 * has; markdown.js makes a token of it, prose.js this button. What a model wrote by itself in those
 * signs is taken out first. While an answer is written its citations are not known yet: then each
 * number in brackets that names a passage is one. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n.js";

/** @typedef {import("../types.js").Sources} Sources */
/** @typedef {{ passages: number[], supported: boolean }} Marker */

const SIGNS = /[\ue000\ue001]/g;
const BRACKETS = /\[(\d{1,3})\](?![(:[])/g;

/** @param {string} text @param {Sources | null | undefined} sources
 * @returns {{ text: string, markers: Marker[] }} */
export function markCitations(text, sources) {
    const clean = text.replace(SIGNS, "\ufffd");
    const count = sources?.passages?.length ?? 0;
    if (!count || !sources) return { text: clean, markers: [] };
    const numbers = new Set(sources.passages.map((one, index) => one.number ?? index + 1));
    const known = (sources.citations ?? [])
        .filter(({ start, end, passages }) => start < end && end <= text.length && passages.some((one) => numbers.has(one)))
        .sort((a, b) => a.start - b.start);
    /** @type {{ start: number, end: number, marker: Marker }[]} */
    const places = known.map(({ start, end, passages, supported }) => ({ start, end, marker: { passages, supported } }));
    for (const match of clean.matchAll(BRACKETS)) {
        const [start, end] = [match.index, match.index + match[0].length];
        if (!numbers.has(Number(match[1])) || known.some((one) => one.start < end && start < one.end)) continue;
        places.push({ start, end, marker: { passages: [Number(match[1])], supported: true } });
    }
    places.sort((a, b) => a.start - b.start);
    let marked = "";
    let at = 0;
    /** @type {Marker[]} */
    const markers = [];
    for (const { start, end, marker } of places) {
        if (start < at) continue;
        marked += `${clean.slice(at, start)}\ue000${markers.length}${marker.supported ? "" : "?"}\ue001`;
        markers.push(marker);
        at = end;
    }
    return { text: marked + clean.slice(at), markers };
}

/** The text as it was written. @param {string} text @param {Marker[]} markers */
export function unmark(text, markers) {
    return text.replace(/\ue000(\d+)\??\ue001/g, (_, index) =>
        (markers[Number(index)]?.passages ?? []).map((one) => `[${one}]`).join(""));
}

/** "page 3", "sheet Totals". @param {import("../types.js").Passage} passage */
export function placeOf({ part, format }) {
    if (!part) return "";
    const { kind, number, label } = part;
    if (kind === "page") return t("placePage", { number: label && label !== String(number) ? label : number });
    if (kind === "slide") return t("placeSlide", { number });
    if (kind === "sheet") return t("placeSheet", { label: label || number });
    if (kind === "file" && format !== "zip") return "";
    return label || (kind === "section" && number > 1 ? t("placeSection", { number }) : "");
}

/** "report.pdf, page 3". @param {import("../types.js").Passage} passage */
export const sourceName = (passage) =>
    [passage.title || passage.name.split("/").at(-1), placeOf(passage)].filter(Boolean).join(", ");

/** @type {import("preact").Context<{ markers: Marker[], sources?: Sources | null,
 *   open?: (number: number) => void }>} */
export const CitationContext = createContext(/** @type {any} */ ({ markers: [] }));

/** @param {{ index: number }} props */
export function CitationButtons({ index }) {
    const { markers, sources, open } = useContext(CitationContext);
    const marker = markers[index];
    if (!marker) return null;
    return marker.passages.map((number) => {
        const passage = sources?.passages.find((one, at) => (one.number ?? at + 1) === number);
        if (!passage) return `[${number}]`;
        const label = t("sourceNumber", { number, name: sourceName(passage) });
        return html`<button type="button" class=${marker.supported ? "citation" : "citation unsupported"}
            aria-label=${marker.supported ? label : `${label}. ${t("unsupported")}`}
            title=${marker.supported ? sourceName(passage) : t("unsupported")}
            onClick=${() => open?.(number)}>${number}${marker.supported ? "" : "?"}</button>`;
    });
}

/** What the sources were, below the answer.
 * @param {{ page: import("../page.js").Page, sources: Sources, isOwn: boolean }} props isOwn: a model wrote
 *   the answer, which where nothing was found is not said of a refusal */
export function SourceRow({ page, sources, isOwn }) {
    const { passages, citations } = sources;
    const nothing = html`<p class="not-found" role="note">${t(isOwn ? "notInDocuments" : "noPassageMatches")}</p>`;
    if (!sources.found && !passages.length) return nothing;
    const cited = new Set((citations ?? []).flatMap((one) => one.passages));
    const all = passages.map((passage, index) => ({ passage, index, number: passage.number ?? index + 1 }));
    const shown = cited.size ? all.filter(({ number }) => cited.has(number)) : all.slice(0, 4);
    return html`
        ${!sources.found && nothing}
        <ul class="source-row" aria-label=${t("sources")}>${shown.map(({ passage, index, number }) => html`
            <li key=${index}><button type="button" onClick=${() => page.showSource(passages, index)}>
                <b>${number}</b><span>${sourceName(passage)}</span></button></li>`)}
            <li><button type="button" class="quiet" onClick=${() => page.ask("found", { sources })}>
                ${t("howFound", { count: passages.length })}</button></li></ul>`;
}
