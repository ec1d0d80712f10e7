/* Context meter: how much of the model's context the conversation fills, as the program last counted it,
 * and while an answer is written the speed so far. It looks by itself twice a second, so that a token
 * does not redraw the composer. */

import { useEffect, useReducer } from "preact/hooks";
import { html } from "../html.js";
import { formatNumber, t } from "../i18n.js";

const LOOK_MS = 500;

/** @param {{ page: import("../page.js").Page, thread: import("../thread.js").OpenThread }} props */
export function ContextMeter({ page, thread }) {
    const [, redraw] = useReducer((/** @type {number} */ turns) => turns + 1, 0);
    const running = thread.running;
    useEffect(() => {
        if (!running) return undefined;
        const timer = setInterval(() => redraw(0), LOOK_MS);
        return () => clearInterval(timer);
    }, [running?.id]);
    const writing = running ? thread.writing.get(running.id) : undefined;
    const last = thread.path.filter(({ measures }) => measures?.prompt_tokens !== undefined).at(-1);
    const measures = last?.measures ?? {};
    const total = measures.context_tokens || page.model?.context_tokens || 0;
    const used = writing?.progress
        ? writing.progress.total + writing.pieces
        : (measures.prompt_tokens ?? 0) + (measures.generated_tokens ?? 0);
    const seconds = writing?.firstAt ? (performance.now() - writing.firstAt) / 1000 : 0;
    const values = { used: formatNumber(used), total: formatNumber(total) };
    return html`
        <span class="context" title=${t("contextFact", values)}>
            ${writing && writing.pieces > 4 && seconds > 0.3 && html`<span class="speed">${
                t("speed", { speed: formatNumber((writing.pieces - 1) / seconds) })}</span>`}
            ${total > 0 && html`
                <meter aria-label=${t("contextFact", values)} min="0" max=${total} value=${used}
                    low=${total * 0.7} high=${total * 0.9} optimum="0" />
                <span class="context-count">${values.used} / ${values.total}</span>`}
        </span>`;
}
