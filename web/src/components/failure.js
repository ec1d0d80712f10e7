/* Failure: why an answer did not come, in words, with what can be done about it as buttons. The
 * program's own sentence is shown too: it holds the figures (both lengths, for instance). */

import { html } from "../html.js";
import { t } from "../i18n.js";
import { focusComposer } from "../focus.js";
import { Icon } from "./icons.js";

/** @typedef {import("../types.js").Failure} FailureData */

/** @type {Record<FailureData["kind"], import("../i18n.js").StringKey>} */
export const FAILURE_WORDS = {
    offline: "failureOffline", token: "failureToken", context: "failureContext", busy: "failureBusy",
    model: "failureModel", request: "failureRequest", server: "failureServer",
};

/** @param {{ page: import("../page.js").Page, message: import("../types.js").Message,
 *   failure: FailureData }} props */
export function Failure({ page, message, failure }) {
    const button = (/** @type {import("../i18n.js").StringKey} */ label, /** @type {() => void} */ act) =>
        html`<button type="button" class="button" onClick=${() => { act(); focusComposer(); }}>${t(label)}</button>`;
    return html`
        <div class="failure">
            <${Icon} name="warning" />
            <div>
                <p><strong>${t(message.isUnsent ? "failureUnsent" : FAILURE_WORDS[failure.kind])}</strong></p>
                ${failure.detail && failure.kind !== "offline" && html`
                    <p class="detail">${failure.detail}</p>`}
                <p class="remedies">
                    ${failure.kind === "context" && button("newChat", () => page.newChat())}
                    ${failure.kind === "model" && button("models", () => page.go("models"))}
                    ${button("tryAgain", () => page.open.retry(message))}
                </p>
            </div>
        </div>`;
}
