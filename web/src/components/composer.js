/* Composer: where the next message is written, with the task preset, how full the context is, and the
 * button that sends or stops. A draft belongs to its conversation. */

import { useLayoutEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { formatNumber, t } from "../i18n.js";
import { Icon } from "./icons.js";

/** @typedef {import("../chat.js").Chat} Chat */

const HEIGHT_PX_MAX = 260;

/** @type {Map<string, string>} */
const drafts = new Map();

/** @param {{ chat: Chat, inputRef: { current: HTMLTextAreaElement | null } }} props */
export function Composer({ chat, inputRef }) {
    const { id } = chat.conversation;
    const [, setShown] = useState("");
    const draft = drafts.get(id) ?? "";
    const setDraft = (/** @type {string} */ text) => {
        drafts.set(id, text);
        setShown(text);
    };
    useLayoutEffect(() => {
        const area = inputRef.current;
        if (!area) return;
        area.style.height = "auto";
        area.style.height = `${Math.min(area.scrollHeight, HEIGHT_PX_MAX)}px`;
    }, [draft, id]);
    useLayoutEffect(() => {
        if (matchMedia("(pointer: fine)").matches) inputRef.current?.focus();
    }, [id]);

    const send = () => {
        if (!draft.trim() || chat.isAnswering) return;
        setDraft("");
        chat.send(draft);
    };
    const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
        if (event.isComposing || event.keyCode === 229) return; /* Enter ends a Chinese word */
        if (event.key === "Enter" && !event.shiftKey) {
            event.preventDefault();
            send();
        } else if (event.key === "ArrowUp" && !draft) {
            const edits = document.querySelectorAll(".question .edit:not(:disabled)");
            if (!edits.length) return;
            event.preventDefault();
            /** @type {HTMLElement} */ (edits[edits.length - 1]).click();
        }
    };
    return html`
        <form class="composer" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); send(); }}>
            <div class="box">
                <textarea id="composer" rows="1" ref=${inputRef} value=${draft} dir="auto"
                    aria-label=${t("message")} placeholder=${t("messagePlaceholder")}
                    enterkeyhint="send" onKeyDown=${onKeyDown}
                    onInput=${(/** @type {any} */ event) => setDraft(event.target.value)} />
                <div class="tools">
                    <${PresetPicker} chat=${chat} />
                    <${ContextMeter} chat=${chat} />
                    ${chat.isAnswering
                        ? html`<button type="button" class="send stop" aria-label=${t("stop")}
                            title=${t("stop")} onClick=${() => chat.stop()}><${Icon} name="stop" /></button>`
                        : html`<button type="submit" class="send" aria-label=${t("send")}
                            title=${t("send")} disabled=${!draft.trim()}><${Icon} name="send" /></button>`}
                </div>
            </div>
            <p class="hint">${t("hint")}</p>
        </form>`;
}

/** @type {[import("../types.js").Parameters["preset"], import("../i18n.js").StringKey][]} */
const PRESETS = [["", "presetDefault"], ["creative", "presetCreative"], ["factual", "presetFactual"],
                 ["classify", "presetClassify"]];

/** @param {{ chat: Chat }} props */
function PresetPicker({ chat }) {
    const { preset } = chat.conversation.parameters;
    return html`
        <select class="preset" aria-label=${t("preset")} title=${t("preset")} value=${preset}
            onChange=${(/** @type {any} */ event) => chat.setParameters({ preset: event.target.value })}>
            ${PRESETS.map(([value, label]) => html`
                <option value=${value} selected=${value === preset}>${t(label)}</option>`)}
        </select>`;
}

/** How much of the model's context the conversation fills, as the server last counted it, and while
 * an answer is written the speed so far.
 * @param {{ chat: Chat }} props */
function ContextMeter({ chat }) {
    const running = chat.running.get(chat.conversation.id);
    const last = chat.path.filter((message) => message.measures?.prompt_tokens !== undefined).at(-1);
    const measures = last?.measures ?? {};
    const total = measures.context_tokens ?? chat.model?.contextTokens ?? 0;
    const used = running?.progress
        ? running.progress.total + running.pieces
        : (measures.prompt_tokens ?? 0) + (measures.generated_tokens ?? 0);
    const seconds = running?.firstAt ? (performance.now() - running.firstAt) / 1000 : 0;
    const values = { used: formatNumber(used), total: formatNumber(total) };
    return html`
        <span class="context" title=${t("contextFact", values)}>
            ${running && running.pieces > 4 && seconds > 0.3 && html`<span class="speed">${
                t("speed", { speed: formatNumber((running.pieces - 1) / seconds) })}</span>`}
            ${total > 0 && html`
                <meter aria-label=${t("contextFact", values)} min="0" max=${total} value=${used}
                    low=${total * 0.7} high=${total * 0.9} optimum="0" />
                <span class="context-count">${values.used} / ${values.total}</span>`}
        </span>`;
}
