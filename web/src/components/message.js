/* Message: a question or an answer, what can be done with it, and how it went. */

import { useState } from "preact/hooks";
import { html, pure } from "../html.js";
import { formatNumber, formatTime, t } from "../i18n.js";
import { copyText } from "../clipboard.js";
import { focusComposer } from "../focus.js";
import { Failure } from "./failure.js";
import { IconButton } from "./icons.js";
import { Prose } from "./prose.js";

/** @typedef {import("../types.js").Message} MessageData */
/** @typedef {{ chat: import("../chat.js").Chat, message: MessageData, content: string,
 *   sibling: number, siblings: string[], isLast: boolean, isRunning: boolean, isAnswering: boolean,
 *   language: string, progress: import("../types.js").Progress | null }} Props */

export const Message = pure((/** @type {Props} */ props) =>
    props.message.role === "user" ? html`<${Question} ...${props} />` : html`<${Answer} ...${props} />`);

/** @param {Props} props */
function Question(props) {
    const { chat, message, content, isAnswering } = props;
    const [isEditing, setEditing] = useState(false);
    const stopEditing = () => {
        setEditing(false);
        focusComposer();
    };
    if (isEditing)
        return html`<article class="question editing" aria-label=${t("you")}>
            <${Editor} text=${content} onCancel=${stopEditing}
                onSave=${(/** @type {string} */ text) => { stopEditing(); chat.edit(message.id, text); }} />
        </article>`;
    return html`
        <article class="question" aria-label=${t("you")}>
            <div class="bubble" tabindex=${content.length > 800 ? 0 : undefined}>${content}</div>
            <div class="actions">
                <${Siblings} ...${props} />
                <${IconButton} icon="edit" class="edit" label=${t("edit")} disabled=${isAnswering}
                    onClick=${() => setEditing(true)} />
                <${CopyButton} text=${content} label=${t("copy")} />
                <${IconButton} icon="trash" label=${t("deleteMessage")} disabled=${isAnswering}
                    onClick=${() => { chat.removeMessage(message.id); focusComposer(); }} />
            </div>
        </article>`;
}

/** @param {{ text: string, onSave(text: string): void, onCancel(): void }} props */
function Editor({ text, onSave, onCancel }) {
    const [draft, setDraft] = useState(text);
    const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
        if (event.key === "Escape") onCancel();
        else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) onSave(draft);
        else return;
        event.preventDefault();
    };
    return html`
        <textarea class="editor" aria-label=${t("edit")} value=${draft} ref=${focusAtEnd}
            rows=${Math.min(12, draft.split("\n").length + 1)} onKeyDown=${onKeyDown}
            onInput=${(/** @type {any} */ event) => setDraft(event.target.value)} />
        <div class="editor-actions">
            <button type="button" class="button" onClick=${onCancel}>${t("cancel")}</button>
            <button type="button" class="button primary" disabled=${!draft.trim()}
                onClick=${() => onSave(draft)}>${t("send")}</button>
        </div>`;
}

/** @param {HTMLTextAreaElement | null} area */
function focusAtEnd(area) {
    if (!area || document.activeElement === area) return;
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
}

/** @param {Props} props */
function Answer(props) {
    const { chat, message, content, isRunning, isAnswering, isLast, progress } = props;
    const canContinue = isLast && content && (message.finish !== "stop" || message.failure) && !isRunning;
    return html`
        <article class="answer ${isRunning ? "running" : ""}" aria-label=${t("answer")}
            aria-busy=${isRunning}>
            ${content && html`<${Prose} text=${content} isRunning=${isRunning}
                language=${props.language} />`}
            ${isRunning && !content && html`<${Reading} progress=${progress} />`}
            ${message.failure && html`
                <${Failure} chat=${chat} message=${message} failure=${message.failure} />`}
            ${!isRunning && html`
                <div class="actions">
                    <${Siblings} ...${props} />
                    ${content && html`<${CopyButton} text=${content} label=${t("copyAnswer")} />`}
                    ${(content || !message.failure) && html`<${IconButton} icon="redo" label=${t("regenerate")} disabled=${isAnswering}
                        onClick=${() => { chat.regenerate(message.id); focusComposer(); }} />`}
                    ${canContinue && html`<${IconButton} icon="forward" label=${t("continueAnswer")}
                        disabled=${isAnswering}
                        onClick=${() => { chat.continueAnswer(message.id); focusComposer(); }} />`}
                    <${Measures} message=${message} />
                </div>`}
        </article>`;
}

/** Before the first word: how far the prompt has been read.
 * @param {{ progress: import("../types.js").Progress | null }} props */
function Reading({ progress }) {
    if (!progress || progress.total === 0 || progress.done >= progress.total)
        return html`<p class="reading"><span class="pulse" />${t("thinking")}</p>`;
    const values = { done: formatNumber(progress.done), total: formatNumber(progress.total) };
    return html`
        <div class="reading">
            <label>${t("reading", values)}
                <progress value=${progress.done} max=${progress.total} /></label>
        </div>`;
}

/** @param {Props} props */
function Siblings({ chat, sibling, siblings, isAnswering }) {
    if (siblings.length < 2) return null;
    const step = (/** @type {number} */ by) => () => chat.choose(siblings[sibling + by]);
    return html`
        <span class="siblings">
            <${IconButton} icon="previous" label=${t("previousVersion")} onClick=${step(-1)}
                disabled=${isAnswering || sibling === 0} />
            <span>${sibling + 1}/${siblings.length}</span>
            <${IconButton} icon="next" label=${t("nextVersion")} onClick=${step(1)}
                disabled=${isAnswering || sibling === siblings.length - 1} />
        </span>`;
}

/** @param {{ text: string, label: string }} props */
function CopyButton({ text, label }) {
    const [isDone, setDone] = useState(false);
    const onClick = async () => {
        if (!(await copyText(text))) return;
        setDone(true);
        setTimeout(() => setDone(false), 1500);
    };
    return html`<${IconButton} icon=${isDone ? "check" : "copy"} label=${isDone ? t("copied") : label}
        onClick=${onClick} />`;
}

/** Speed, length and reason of the end, in a line; the rest in its tooltip.
 * @param {{ message: MessageData }} props */
function Measures({ message }) {
    const measures = message.measures ?? {};
    const parts = [];
    if (measures.tokens_per_s)
        parts.push(t("speed", { speed: formatNumber(measures.tokens_per_s, 1) }));
    if (measures.generated_tokens)
        parts.push(t("tokens", { count: formatNumber(measures.generated_tokens) }));
    if (message.finish === "stopped") parts.push(t("wasStopped"));
    if (message.finish === "length") parts.push(t("reachedLimit"));
    const more = [message.model, formatTime(message.created)];
    if (measures.prompt_tokens !== undefined && measures.prompt_seconds !== undefined)
        more.push(t("promptFact", {
            count: formatNumber(measures.prompt_tokens),
            cached: formatNumber(measures.cached_tokens ?? 0),
            seconds: formatNumber(measures.prompt_seconds, 2),
        }));
    return html`<span class="measures" title=${more.filter(Boolean).join("\n")}>${parts.join(" · ")}</span>`;
}
