/* Transcript: the messages shown, or what to do with an empty page. It stays at the end while text
 * arrives, unless the reader has scrolled up; then a button leads back. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { formatNumber, language, t } from "../i18n.js";
import { copyText } from "../clipboard.js";
import { focusComposer } from "../focus.js";
import { siblingsOf } from "../tree.js";
import { Icon, Mark } from "./icons.js";
import { Message } from "./message.js";

/** @typedef {import("../chat.js").Chat} Chat */

const NEAR_PX = 48;

/** @param {{ chat: Chat }} props */
export function Transcript({ chat }) {
    const scroller = useRef(/** @type {HTMLElement | null} */ (null));
    const follows = useRef(true);
    const shown = useRef("");
    const [isAway, setAway] = useState(false);
    const { path, conversation } = chat;
    const running = chat.running.get(conversation.id);

    const toEnd = () => {
        follows.current = true;
        setAway(false);
        if (scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight;
    };
    const onScroll = () => {
        const box = scroller.current;
        if (!box) return;
        const isNear = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX;
        follows.current = isNear;
        setAway(!isNear);
    };
    useLayoutEffect(() => {
        const now = `${conversation.id} ${path.at(-1)?.id}`;
        if (now !== shown.current) follows.current = true; /* another chat, a new question */
        shown.current = now;
        if (follows.current) toEnd();
    });
    const onClick = async (/** @type {any} */ event) => {
        const button = event.target.closest?.(".copy-code");
        if (!button) return;
        await copyText(button.closest("figure").querySelector("code").textContent);
        button.textContent = t("copied");
        setTimeout(() => (button.textContent = t("copy")), 1500);
    };

    if (!path.length) return html`<${Welcome} chat=${chat} />`;
    return html`
        <div class="scroller" ref=${scroller} onScroll=${onScroll} onClick=${onClick}>
            <div class="transcript" role="log" aria-live="off" aria-label=${t("conversation")}
                tabindex="0">
                ${path.map((message, index) => {
                    const { ids, index: sibling } = siblingsOf(conversation, message.id);
                    const isRunning = running?.message === message;
                    return html`<${Message} key=${message.id} chat=${chat} message=${message}
                        content=${message.content} finish=${message.finish}
                        failure=${message.failure} measures=${message.measures}
                        sibling=${sibling} siblings=${ids} count=${ids.length}
                        isLast=${index === path.length - 1} isRunning=${isRunning}
                        isAnswering=${!!running} language=${language()}
                        progress=${isRunning ? running.progress : null}
                        pieces=${isRunning ? running.pieces : 0} />`;
                })}
            </div>
            ${isAway && html`<button type="button" class="to-end" aria-label=${t("toEnd")}
                title=${t("toEnd")} onClick=${toEnd}><${Icon} name="down" /></button>`}
        </div>`;
}

/** @type {import("../i18n.js").StringKey[]} */
const SUGGESTIONS = ["suggestion1", "suggestion2", "suggestion3", "suggestion4"];

/** @param {{ chat: Chat }} props */
function Welcome({ chat }) {
    const { model } = chat;
    return html`
        <div class="scroller">
            <section class="welcome">
                <${Mark} />
                <h2>${t("welcome")}</h2>
                <p>${t("welcomeText")}</p>
                <ul class="suggestions">
                    ${SUGGESTIONS.map((key) => html`
                        <li key=${key}><button type="button" disabled=${!model}
                            onClick=${() => { chat.send(t(key)); focusComposer(); }}>${t(key)}</button>
                        </li>`)}
                </ul>
                ${model && html`<p class="fact">${t("modelFact", {
                    model: model.id, description: model.description,
                    tokens: formatNumber(model.contextTokens),
                })}</p>`}
            </section>
        </div>`;
}
