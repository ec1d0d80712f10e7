/* Search filter: which documents are searched (kind, tags, when they were changed), and whether the best
 * passages are put in order once more by a model. It stays while other views are looked at. */

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../later_words.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {{ kind: string, tags: string, from: string, until: string, rerank: string }} Filter dates as YYYY-MM-DD */

/** What people call a kind of document, and the program's names for it.
 * @type {Record<string, { label: import("../i18n.js").StringKey, formats: string[] }>} */
const KINDS = {
    pdf: { label: "kindPdf", formats: ["pdf"] },
    text: { label: "kindText", formats: ["word", "open_text", "rtf", "text", "markdown", "epub"] },
    sheets: { label: "kindSheets", formats: ["sheets", "open_sheets", "csv"] },
    slides: { label: "kindSlides", formats: ["slides", "open_slides"] },
    mail: { label: "kindMail", formats: ["mail", "mailbox"] },
    web: { label: "kindWeb", formats: ["html"] },
    code: { label: "kindCode", formats: ["code", "json"] },
    pictures: { label: "kindPictures", formats: ["picture"] },
};

/** @type {[string, import("../i18n.js").StringKey][]} */
const RERANKS = [["auto", "automatic"], ["off", "rerankOff"], ["cross_encoder", "rerankCross"], ["language_model", "rerankModel"]];

/** @type {Filter} */
const NONE = { kind: "", tags: "", from: "", until: "", rerank: "auto" };

/** @type {WeakMap<Page, Filter>} */
const kept = new WeakMap();

/** @param {Page} page @returns {Filter} */
export const filterOf = (page) => kept.get(page) ?? NONE;

/** The parts of a request that it means; days are the reader's own.
 * @param {Filter} filter @returns {Record<string, any>} */
export function requestOfFilter({ kind, tags, from, until, rerank }) {
    const wanted = tags.split(",").map((one) => one.trim()).filter(Boolean);
    return {
        ...(KINDS[kind] && { formats: KINDS[kind].formats }), ...(wanted.length && { tags: wanted }),
        ...(from && { modified_from: new Date(`${from}T00:00:00`).getTime() }),
        ...(until && { modified_until: new Date(`${until}T23:59:59.999`).getTime() }),
        ...(rerank !== "auto" && { rerank }),
    };
}

/** @param {{ page: Page, onChange(): void }} props */
export function SearchFilter({ page, onChange }) {
    const filter = filterOf(page);
    const [tags, setTags] = useState(filter.tags); /* as typed so far */
    const isSet = JSON.stringify(filter) !== JSON.stringify(NONE);
    const [wasSet] = useState(isSet);
    const hasReranker = page.models.all.some(({ role, installed }) => role === "reranker" && installed);
    const set = (/** @type {keyof Filter} */ name) => (/** @type {any} */ event) => {
        kept.set(page, { ...filterOf(page), [name]: event.target.value });
        onChange();
    };
    const clear = () => {
        kept.delete(page);
        setTags("");
        onChange();
    };
    const select = (/** @type {"kind" | "rerank"} */ name, /** @type {string} */ label, /** @type {[string, string][]} */ options) => html`
        <label class="stacked"><span>${label}</span><select class="framed" value=${filter[name]} onChange=${set(name)}>
            ${options.map(([value, text]) => html`<option value=${value} selected=${value === filter[name]}>${text}</option>`)}</select></label>`;
    return html`<details class="search-filter" open=${wasSet}><summary>${t("searchFilter")}</summary>
        <div class="filter-fields">
            ${select("kind", t("documentKind"), [["", t("allKinds")], ...Object.entries(KINDS).map(([value, { label }]) =>
                /** @type {[string, string]} */ ([value, t(label)]))])}
            <label class="stacked"><span>${t("tags")}</span>
                <input value=${tags} dir="auto" placeholder=${t("tagsHelp")} onChange=${set("tags")}
                    onInput=${(/** @type {any} */ event) => setTags(event.target.value)} /></label>
            <label class="stacked"><span>${t("changedFrom")}</span><input type="date" value=${filter.from} max=${filter.until} onChange=${set("from")} /></label>
            <label class="stacked"><span>${t("changedUntil")}</span><input type="date" value=${filter.until} min=${filter.from} onChange=${set("until")} /></label>
            ${select("rerank", t("rerank"), RERANKS.filter(([value]) => value !== "cross_encoder" || value === filter.rerank || hasReranker).map(([value, label]) => [value, t(label)]))}
            <button type="button" class="button" disabled=${!isSet} onClick=${clear}>${t("noFilter")}</button>
        </div></details>`;
}
