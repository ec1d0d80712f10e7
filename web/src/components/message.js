/* Message: one place in the conversation. A message far from what is seen is kept as its bare text at
 * the height it had: its element, its name and its words stay in the page (the browser's own search
 * finds them and brings them back), but not its hundreds of elements. */

import { useEffect, useReducer } from "preact/hooks";
import { html } from "../html.js";
import { language, t } from "../i18n.js";
import { Answer } from "./answer.js";
import { Question } from "./question.js";

/** @typedef {import("../types.js").Message} MessageData */

/** @param {{ page: import("../page.js").Page, id: string, isLast: boolean, isFar: boolean,
 *   height: number, index: number, count: number, isAnswering: boolean, sibling: number,
 *   siblings: string[], onReveal(id: string): void, version: any }} props */
export function Message(props) {
    const { page, id, isFar, height, index, count, onReveal } = props;
    const [, redraw] = useReducer((/** @type {number} */ turns) => turns + 1, 0);
    useEffect(() => page.open.listen(id, () => redraw(0)), [id, page.open]);
    const message = page.open.messages.get(id);
    if (!message) return null;
    const isRunning = page.open.isWriting(message);
    const name = t(message.role === "user" ? "you" : "answer");
    const kind = message.role === "user" ? "question" : `answer ${isRunning ? "running" : ""}`;
    const inner = message.role === "user" ? Question : Answer;
    return html`
        <article class="message ${kind} ${isFar ? "far" : ""}" data-id=${id} aria-label=${name} aria-busy=${isRunning}
            aria-posinset=${index + 1} aria-setsize=${count} role="article"
            style=${isFar ? { height: `${height}px` } : null}>
            ${isFar
                ? html`<div class="kept" hidden="until-found" key="kept"
                    ref=${(/** @type {any} */ place) => hearMatch(place, () => onReveal(id))}>${message.content}</div>`
                : html`<${inner} key="whole" ...${props} message=${message} isRunning=${isRunning}
                    language=${language()} />`}
        </article>`;
}

/** The event's name is all lower case, which Preact's attribute is not. @param {any} place @param {() => void} act */
function hearMatch(place, act) {
    if (place) place.onbeforematch = act;
}

/** @typedef {{ page: import("../page.js").Page, id: string, message: MessageData, isLast: boolean,
 *   isRunning: boolean, isAnswering: boolean, sibling: number, siblings: string[],
 *   language: string }} MessageProps */
