/* Source panel: beside the answer, the passage that it cites, in its page. From there to the other
 * passages, the pages before and behind, the original; and the quotation with its reference. */

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { formatNumber } from "../i18n.js";
import { t } from "../later_words.js";
import { call } from "../api.js";
import { placeOf } from "../components/citations.js";
import { Icon, IconButton } from "../components/icons.js";
import { CopyButton } from "../components/message_tools.js";
import { SourcePage } from "./source_page.js";

/** @typedef {import("../types.js").Passage} Passage */

/** What people paste into their own text. @param {Passage} passage */
export function quotationOf(passage) {
    const reference = [passage.title, placeOf(passage), passage.name].filter((one, index, all) => one && all.indexOf(one) === index);
    return `“${passage.text.trim().replace(/\s+/g, " ")}” (${reference.join(", ")})`;
}

/** @param {{ page: import("../page.js").Page }} props */
export function SourcePanel({ page }) {
    const { passages, index } = page.source ?? { passages: [], index: 0 };
    const passage = passages[index];
    const heading = useRef(/** @type {HTMLElement | null} */ (null));
    const opener = useRef(/** @type {Element | null} */ (null));
    const [turned, setTurned] = useState({ passage, ordinal: passage.part.ordinal }); /* another passage leaves it behind */
    const ordinal = turned.passage === passage ? turned.ordinal : passage.part.ordinal;
    const setOrdinal = (/** @type {number} */ wanted) => setTurned({ passage, ordinal: wanted });
    const [part, setPart] = useState(/** @type {any} */ (null));
    const [document_, setDocument] = useState(/** @type {any} */ (null));
    const [problem, setProblem] = useState("");
    const id = passage.document;
    useEffect(() => () => {
        const place = /** @type {HTMLElement | null} */ (opener.current);
        if (place?.isConnected) place.focus();
    }, []);
    useEffect(() => { /* asked for from outside: the keyboard comes along, and goes back there at the end */
        if (heading.current?.closest("aside")?.contains(document.activeElement)) return;
        if (document.activeElement !== document.body) opener.current = document.activeElement; /* body: a button was disabled */
        heading.current?.focus();
    }, [passage]);
    useEffect(() => {
        let isWanted = true;
        setDocument(null);
        call("GET", `/api/documents/${encodeURIComponent(id)}`).then((reply) => isWanted && setDocument(reply), () => {});
        return () => void (isWanted = false);
    }, [id]);
    useEffect(() => {
        let isWanted = true;
        setProblem("");
        call("GET", `/api/documents/${encodeURIComponent(id)}/parts/${ordinal}`).then((reply) => {
            if (isWanted) setPart({ ...reply, ordinal, document: id });
        }, (error) => {
            page.note(error);
            if (isWanted) setProblem(error.status === 404 ? t("sourceGone") : error.message);
        });
        return () => void (isWanted = false);
    }, [id, ordinal]);
    const isHere = part && part.ordinal === ordinal && part.document === id;
    const count = document_?.parts ?? 0;
    const name = passage.title || document_?.title || passage.name.split("/").at(-1) || "";
    const shown = ordinal === passage.part.ordinal && passage.end > passage.start ? passage : null;
    const place = placeOf({ ...passage, part: isHere ? part : passage.part });
    const original = `/api/documents/${encodeURIComponent(id)}/original${part?.kind === "page" ? `#page=${part.number}` : ""}`;
    return html`<aside class="panel source-panel" aria-label=${t("source")}>
        <div class="panel-head">
            <h2 tabindex="-1" ref=${heading} title=${passage.name}>${name}</h2>
            <${IconButton} icon="close" label=${t("close")} onClick=${() => page.showSource([], 0)} />
        </div>
        <div class="source-tools">
            ${passages.length > 1 && html`<span class="siblings" role="group" aria-label=${t("passageOf", { index: index + 1, count: passages.length })}>
                <${IconButton} icon="previous" label=${t("previousPassage")} disabled=${index === 0}
                    onClick=${() => page.showSource(passages, index - 1)} />
                <span aria-hidden="true">${index + 1}/${passages.length}</span>
                <${IconButton} icon="next" label=${t("nextPassage")} disabled=${index === passages.length - 1}
                    onClick=${() => page.showSource(passages, index + 1)} /></span>`}
            <a class="button" href=${original} target="_blank" rel="noopener"><${Icon} name="original" />${t("openOriginal")}</a>
            ${passage.text && html`<span class="quote"><${CopyButton} text=${quotationOf(passage)} label=${t("copyQuotation")} /></span>`}
        </div>
        <div class="part-steps">
            <${IconButton} icon="previous" label=${t("previousPage")} disabled=${ordinal === 0} onClick=${() => setOrdinal(ordinal - 1)} />
            <span>${[place, count > 1 && t("partOf", { index: formatNumber(ordinal + 1), count: formatNumber(count) }),
                shown?.heading].filter(Boolean).join(" · ")}</span>
            <${IconButton} icon="next" label=${t("nextPage")} disabled=${!count || ordinal >= count - 1} onClick=${() => setOrdinal(ordinal + 1)} />
        </div>
        ${problem && html`<p class="problem" role="alert">${problem}</p>`}
        ${problem && passage.text && html`<blockquote class="part-text"><mark>${passage.text}</mark></blockquote>`}
        ${isHere && !problem && html`<${SourcePage} key=${`${id} ${ordinal} ${passage.start}`} document=${id} part=${part}
            passage=${shown} name=${name} />`}
        ${!isHere && !problem && html`<p class="nothing" aria-busy="true">${t("loading")}</p>`}
    </aside>`;
}
