/* Answer: what the model thought, the tools it called, what it said, and how it went. */

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { formatNumber, formatTime, t } from "../i18n.js";
import { kindOfCode } from "../api.js";
import { focusComposer } from "../focus.js";
import { SourceRow } from "./citations.js";
import { Failure } from "./failure.js";
import { Icon, IconButton } from "./icons.js";
import { lazy } from "./lazy.js";
import { CopyButton, MoreMenu, Siblings } from "./message_tools.js";
import { Prose } from "./prose.js";
import { Editor } from "./question.js";

/** @typedef {import("./message.js").MessageProps} MessageProps */
/** @typedef {import("../types.js").Message} MessageData */

const Remembered = lazy(() => import("../views/remembered.js"), "Remembered");

/** @param {MessageData} message @returns {import("../types.js").Failure | null} */
function failureIn(message) {
    if (message.failure) return message.failure;
    return message.error
        ? { kind: kindOfCode(message.error.code), detail: message.error.message } : null;
}

/** @param {MessageProps} props */
export function Answer(props) {
    const { page, message, isRunning, isAnswering, isLast } = props;
    const { content, reasoning, tool_calls: calls } = message;
    const [isEditing, setEditing] = useState(false);
    const writing = page.open.writing.get(message.id);
    const failure = failureIn(message);
    const hasText = !!content || !!reasoning || !!calls?.length;
    const canContinue = isLast && content && !isRunning && (message.finish !== "stop" || failure);
    if (isEditing)
        return html`<${Editor} text=${content} action=${t("save")} onCancel=${() => setEditing(false)}
            onSave=${(/** @type {string} */ text) => { setEditing(false); page.open.rewrite(message, text); }} />`;
    return html`
        ${reasoning && html`<${Reasoning} text=${reasoning} isRunning=${isRunning && !content}
            startedAt=${writing?.startedAt} />`}
        ${(calls ?? []).map((call) => html`<${ToolCall} call=${call} />`)}
        ${content && html`<${Prose} text=${content} isRunning=${isRunning} language=${props.language}
            sources=${message.sources} onSource=${(/** @type {number} */ number) => showSource(page, message, number)} />`}
        ${isRunning && writing?.retrieval && html`<${Retrieval} state=${writing.retrieval} sources=${message.sources} />`}
        ${isRunning && !hasText && writing?.retrieval !== "searching" &&
            html`<${Reading} progress=${writing?.progress ?? null} />`}
        ${!isRunning && message.sources && html`<${SourceRow} page=${page} sources=${message.sources}
            isOwn=${!!message.measures?.generated_tokens} />`}
        ${!isRunning && (message.memories?.length || (isLast && page.settings.memory)) && html`
            <${Remembered} page=${page} memories=${message.memories} isLast=${isLast} />`}
        ${failure && html`<${Failure} page=${page} message=${message} failure=${failure} />`}
        ${!isRunning && html`
            <div class="actions">
                <${Siblings} ...${props} />
                ${content && html`<${CopyButton} text=${content} label=${t("copyAnswer")} />`}
                ${(hasText || !failure) && html`<${IconButton} icon="redo" label=${t("regenerate")}
                    disabled=${isAnswering}
                    onClick=${() => { page.open.regenerate(message); focusComposer(); }} />`}
                ${canContinue && html`<${IconButton} icon="forward" label=${t("continueAnswer")}
                    disabled=${isAnswering}
                    onClick=${() => { page.open.continueAnswer(message); focusComposer(); }} />`}
                <${MoreMenu} ...${props} onEdit=${content ? () => setEditing(true) : undefined} />
                <${Measures} message=${message} />
            </div>`}`;
}

/** @param {import("../page.js").Page} page @param {MessageData} message @param {number} number */
function showSource(page, { sources }, number) {
    const passages = sources?.passages ?? [];
    page.showSource(passages, passages.findIndex((one, at) => (one.number ?? at + 1) === number));
}

/** What is looked up in the documents before the answer begins.
 * @param {{ state: "searching" | "done", sources?: import("../types.js").Sources | null }} props */
function Retrieval({ state, sources }) {
    const count = sources?.passages?.length ?? 0;
    return html`<p class="reading retrieval" role="status">${state === "searching"
        ? html`<span class="pulse" />${t("searchingDocuments")}`
        : html`<${Icon} name="search" />${count ? t("passagesFound", { count }) : t("noPassages")}`}</p>`;
}

/** The thinking before the answer, closed unless asked for.
 * @param {{ text: string, isRunning: boolean, startedAt?: number }} props */
function Reasoning({ text, isRunning, startedAt }) {
    const seconds = useRef(0);
    useEffect(() => {
        if (isRunning || !startedAt || seconds.current) return;
        seconds.current = Math.round((performance.now() - startedAt) / 1000);
    }, [isRunning]);
    const words = isRunning ? t("thinking")
        : seconds.current ? t("thoughtFor", { seconds: seconds.current }) : t("thoughts");
    return html`<details class="reasoning">
        <summary>${isRunning && html`<span class="pulse" />`}${words}</summary>
        <div class="thoughts" dir="auto">${text}</div></details>`;
}

/** @param {{ call: import("../types.js").ToolCall }} props */
function ToolCall({ call }) {
    let given = call.arguments;
    try {
        given = JSON.stringify(JSON.parse(call.arguments), null, 2);
    } catch {
        /* as the model wrote it */
    }
    return html`<details class="reasoning tool">
        <summary><${Icon} name="tool" /><span>${t("toolCall", { name: call.name })}</span></summary>
        <pre tabindex="0">${given}</pre>
        ${call.result !== undefined && html`<p>${t("toolResult")}</p><pre tabindex="0">${call.result}</pre>`}
        ${call.error && html`<p class="problem">${call.error}</p>`}</details>`;
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
