/* Document row: one document in the list: its name, what is known of it, what went wrong in words, and
 * what can be done with it. */

import { html } from "../html.js";
import { formatBytes, formatNumber } from "../i18n.js";
import { t } from "../later_words.js";
import { call } from "../api.js";
import { DOCUMENT_STATES } from "../components/thread_files.js";
import { Icon, IconButton } from "../components/icons.js";
import { Menu } from "../components/menu.js";

/** @typedef {import("../types.js").Document} Document */
/** @typedef {import("../page.js").Page} Page */

/** @type {Record<string, import("../i18n.js").StringKey>} */
const TROUBLES = {
    unsupported: "troubleFormat", unknown_format: "troubleFormat", encrypted: "troubleEncrypted", bad_file: "troubleDamaged",
    too_large: "troubleLarge", no_memory: "troubleLarge", timeout: "troubleSlow", not_found: "troubleGone",
};

/** @param {import("../types.js").Trouble | null} error */
export function troubleWords(error) {
    if (!error) return "";
    const words = TROUBLES[error.code];
    return words ? `${t(words)} (${error.message})` : error.message;
}

/** @param {Document} document */
const baseOf = ({ name, title }) => title || name.split("/").at(-1) || name;

/** @param {Document} document */
function factsOf(document) {
    const { state, parts, bytes, format, name, note, tags, error } = document;
    if (state === "failed") return troubleWords(error);
    const folder = name.includes("/") ? name.slice(0, name.lastIndexOf("/")) : "";
    return [state !== "ready" && t(DOCUMENT_STATES[state] ?? "stateWaiting"), format,
            parts > 1 && t("partsOf", { count: formatNumber(parts) }), formatBytes(bytes), folder, (tags ?? []).join(", "), note]
        .filter(Boolean).join(" · ");
}

/** Shows its text from the beginning. @param {Page} page @param {Document} document */
export function openDocument(page, { id, name, title, format }) {
    page.showSource([{ document: id, name, title, format, part: { ordinal: 0, kind: "", number: 1, label: "" },
                       start: 0, end: 0, text: "" }], 0);
}

/** @param {Page} page @param {Document} document @param {import("./documents_list.js").DocumentsList} list */
function editTags(page, document, list) {
    page.ask("name", {
        title: t("tags"), label: t("tagsHelp"), value: (document.tags ?? []).join(", "), action: t("save"), isOptional: true,
        act: (/** @type {string} */ text) => page.attempt(async () => {
            const tags = [...new Set(text.split(",").map((one) => one.trim()).filter(Boolean))];
            const changed = await call("PATCH", `/api/documents/${document.id}`, { tags });
            list.take("document", { document: { ...document, ...changed, tags } });
        }),
    });
}

/** @param {{ page: Page, document: Document, list: import("./documents_list.js").DocumentsList,
 *   chosen: import("./chosen.js").Choosing, index: number, count: number, top: number }} props */
export function DocumentRow({ page, document, list, chosen, index, count, top }) {
    const { id, state, pinned } = document;
    const name = baseOf(document);
    const isBusy = state !== "ready" && state !== "failed";
    const remove = () => page.ask("confirm", {
        title: t("removeDocument"), text: t(list.workspace ? "removeDocumentText" : "deleteDocumentText", { name }),
        action: t("removeDocument"), act: () => { chosen.set(document, false); list.remove(document); },
    });
    return html`<li class="document is-${state}" style=${{ top: `${top}px` }} aria-setsize=${count} aria-posinset=${index + 1}>
        <input type="checkbox" class="choose" aria-label=${t("chooseDocument", { name })} disabled=${state !== "ready"}
            checked=${chosen.all.has(id)} onChange=${(/** @type {any} */ event) => chosen.set(document, event.target.checked)} />
        <span class="document-icon">${isBusy ? html`<span class="pulse" />` : html`<${Icon} name=${state === "failed" ? "warning" : "file"} />`}</span>
        <button type="button" class="document-name" title=${document.name} onClick=${() => openDocument(page, document)}>
            <strong dir="auto">${name}</strong><small class=${state === "failed" ? "problem" : ""}
                title=${factsOf(document)}>${factsOf(document)}</small></button>
        ${state === "failed" && html`<button type="button" class="button" aria-label=${`${t("tryAgain")}: ${name}`}
            onClick=${() => list.retry(document)}>${t("tryAgain")}</button>`}
        ${list.workspace && state === "ready" && html`<${IconButton} icon="pin" pressed=${!!pinned}
            label=${t(pinned ? "unpinDocument" : "pinDocument", { name })} onClick=${() => list.pin(document, !pinned)} />`}
        <${Menu} label=${t("documentMenu", { name })} items=${() => [
            { label: t("showText"), icon: "file", act: () => openDocument(page, document) },
            { label: t("openOriginal"), icon: "original", act: () => void open(`/api/documents/${id}/original`, "_blank", "noopener") },
            { label: t("tags"), icon: "edit", act: () => editTags(page, document, list) },
            (state === "failed" || state === "ready") && { label: t(state === "failed" ? "tryAgain" : "readAgain"), icon: "redo", act: () => void list.retry(document) },
            null,
            { label: t("removeDocument"), icon: "trash", isDanger: true, act: remove },
        ]} /></li>`;
}
