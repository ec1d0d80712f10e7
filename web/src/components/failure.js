/* Failure: why an answer did not come, in words, with what can be done about it as buttons. The
 * server's own sentence is shown too: it holds the figures (both lengths, for instance). */

import { html } from "../html.js";
import { t } from "../i18n.js";
import { focusComposer } from "../focus.js";
import { Icon } from "./icons.js";

/** @typedef {import("../types.js").Failure} FailureData */

/** @type {Record<FailureData["kind"], import("../i18n.js").StringKey>} */
const WORDS = {
    offline: "failureOffline", token: "failureToken", context: "failureContext", busy: "failureBusy",
    model: "failureModel", request: "failureRequest", server: "failureServer",
};

/** @param {{ chat: import("../chat.js").Chat, message: import("../types.js").Message,
 *   failure: FailureData }} props */
export function Failure({ chat, message, failure }) {
    const button = (/** @type {import("../i18n.js").StringKey} */ label, /** @type {() => void} */ act) =>
        html`<button type="button" class="button" onClick=${() => { act(); focusComposer(); }}>${t(label)}</button>`;
    return html`
        <div class="failure">
            <${Icon} name="warning" />
            <div>
                <p><strong>${t(WORDS[failure.kind])}</strong></p>
                ${failure.detail && failure.kind !== "offline" && html`
                    <p class="detail">${failure.detail}</p>`}
                <p class="remedies">
                    ${failure.kind === "context"
                        ? [button("newChat", () => chat.newChat()),
                           chat.path.length > 2
                               && button("forgetOldest", () => chat.forgetOldest(message.id))]
                        : button("tryAgain", () => chat.retry(message.id))}
                </p>
            </div>
        </div>`;
}
