/* Thread files: the documents that belong to this thread alone, as chips with their state. */

import { html } from "../html.js";
import { t } from "../i18n.js";
import { call } from "../api.js";
import { Icon, IconButton } from "./icons.js";

/** @typedef {import("../page.js").Page} Page */

/** @type {Record<string, import("../i18n.js").StringKey>} */
export const DOCUMENT_STATES = {
    sending: "documentSending", waiting: "stateWaiting", reading: "documentReading", embedding: "documentEmbedding",
    ready: "documentReady", failed: "stateFailed",
};

/** @param {{ page: Page }} props */
export function ThreadFiles({ page }) {
    const { data } = page.open;
    const documents = data.documents ?? [];
    if (!documents.length) return null;
    const remove = (/** @type {string} */ id) => page.attempt(async () => {
        await call("DELETE", `/api/threads/${data.id}/documents/${id}`);
        data.documents = (data.documents ?? []).filter((one) => one.id !== id);
        page.changed();
    });
    return html`<ul class="chips" aria-label=${t("threadFiles")}>${documents.map(({ id, name, state }) => html`
        <li key=${id} class="chip file-${state}"><${Icon} name=${state === "failed" ? "warning" : "file"} />
            <span class="chip-name">${name}<small>${t(DOCUMENT_STATES[state] ?? "stateWaiting")}</small></span>
            <${IconButton} icon="close" label=${t("removeAttachment", { name })} onClick=${() => remove(id)} /></li>`)}</ul>`;
}
