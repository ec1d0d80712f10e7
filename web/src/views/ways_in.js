/* Ways in: files and folders by dropping or choosing, a web address, folders of the machine that Den runs
 * on, once or watched. Without a workspace the first files begin one. */

import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { formatBytes, formatNumber } from "../i18n.js";
import { t } from "../later_words.js";
import { call } from "../api.js";
import { chooseFiles, droppedFiles } from "../files.js";
import { Icon, IconButton } from "../components/icons.js";
import { uploadsOf } from "./uploads.js";

/** @typedef {import("../page.js").Page} Page */

/** The workspace that files go to; one is made where none is chosen. @param {Page} page
 * @returns {Promise<string>} "": it could not be made */
async function placeFor(page) {
    const { workspaces } = page;
    if (workspaces.id) return workspaces.id;
    const name = t("firstWorkspace");
    const made = workspaces.all.find((one) => one.name === name) ?? await workspaces.create(name);
    if (!made) return "";
    workspaces.set(made.id);
    page.go("documents");
    return made.id;
}

/** @param {Page} page @param {import("../files.js").Found[]} found */
async function add(page, found) {
    if (!found.length) return;
    const workspace = await placeFor(page);
    if (workspace) uploadsOf(page).add(found, { workspace });
}

/** @param {Page} page @param {string} path @param {object} body */
const post = (page, path, body) => page.attempt(async () => {
    const workspace = await placeFor(page);
    if (!workspace) return undefined;
    return (await call("POST", path, { ...body, workspace })) ?? {};
});

/** @param {{ page: Page }} props */
export function WaysIn({ page }) {
    const [isOver, setOver] = useState(false);
    useEffect(() => {
        const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
        const onDrag = (/** @type {DragEvent} */ event) => {
            if (!hasFiles(event)) return;
            event.preventDefault();
            setOver(true);
        };
        const onLeave = (/** @type {DragEvent} */ event) => event.relatedTarget === null && setOver(false);
        const onDrop = async (/** @type {DragEvent} */ event) => {
            if (!hasFiles(event)) return;
            event.preventDefault();
            setOver(false);
            add(page, await droppedFiles(event.dataTransfer));
        };
        document.addEventListener("dragover", onDrag);
        document.addEventListener("dragleave", onLeave);
        document.addEventListener("drop", onDrop);
        return () => {
            document.removeEventListener("dragover", onDrag);
            document.removeEventListener("dragleave", onLeave);
            document.removeEventListener("drop", onDrop);
        };
    }, []);
    const choose = (/** @type {boolean} */ isFolder) => async () =>
        add(page, (await chooseFiles("", isFolder)).map((file) => ({ path: file.webkitRelativePath || file.name, file })));
    return html`<section class="ways-in" aria-label=${t("addDocuments")}>
        <div class="drop-zone ${isOver ? "over" : ""}">
            <${Icon} name="download" /><p><strong>${t("dropDocuments")}</strong><small>${t("dropDocumentsHelp")}</small></p>
            <div class="buttons">
                <button type="button" class="button primary" onClick=${choose(false)}>${t("chooseFiles")}</button>
                <button type="button" class="button" onClick=${choose(true)}>${t("chooseFolder")}</button></div>
        </div>
        <${Uploading} page=${page} />
        <${WebAddress} page=${page} />
        <${Folders} page=${page} />
    </section>`;
}

/** @param {{ page: Page }} props */
function Uploading({ page }) {
    const uploads = uploadsOf(page);
    const { total, done, failed, bytes, bytesDone } = uploads.measures;
    if (!uploads.isBusy && !failed) return null;
    return html`<div class="job" role="group" aria-label=${t("uploading")}>
        <div class="job-text"><strong>${t("uploading")}</strong>
            <progress aria-label=${t("uploading")} max=${bytes || 1} value=${bytesDone} />
            <small>${[t("filesOf", { done: formatNumber(done), total: formatNumber(total) }),
                t("bytesOf", { done: formatBytes(bytesDone), total: formatBytes(bytes) }),
                failed && t("failedCount", { count: formatNumber(failed) })].filter(Boolean).join(" · ")}</small>
            ${failed > 0 && html`<ul class="job-tasks">${uploads.all.filter(({ state }) => state === "failed").slice(0, 20).map((one) => html`
                <li key=${one.key}>${one.path}: <span class="problem">${one.error}</span></li>`)}</ul>`}</div>
        ${failed > 0 && html`<button type="button" class="button" onClick=${() => uploads.retry()}>${t("tryAgain")}</button>`}
        <${IconButton} icon="close" label=${`${t(uploads.isBusy ? "cancel" : "forget")}: ${t("uploading")}`}
            onClick=${() => uploads.clear()} /></div>`;
}

/** @param {{ page: Page }} props */
function WebAddress({ page }) {
    const [address, setAddress] = useState("");
    const submit = async (/** @type {Event} */ event) => {
        event.preventDefault();
        const wanted = /^[a-z]+:\/\//i.test(address.trim()) ? address.trim() : `https://${address.trim()}`;
        if (await post(page, "/api/documents/web", { address: wanted })) setAddress("");
    };
    return html`<form class="in-line" onSubmit=${submit}>
        <input value=${address} inputmode="url" aria-label=${t("webAddress")} placeholder=${t("webAddressPlaceholder")}
            onInput=${(/** @type {any} */ event) => setAddress(event.target.value)} />
        <button type="submit" class="button" disabled=${!address.trim()}>${t("readPage")}</button></form>`;
}

/** @param {{ page: Page }} props */
function Folders({ page }) {
    const [path, setPath] = useState("");
    const [watched, setWatched] = useState(/** @type {any[]} */ ([]));
    const { id } = page.workspaces;
    const load = async () => {
        const reply = await call("GET", "/api/watched").catch(() => null);
        setWatched(reply?.watched ?? []);
    };
    useEffect(() => void load(), [id]);
    const watch = async () => {
        if (!(await post(page, "/api/watched", { path: path.trim() }))) return;
        setPath("");
        load();
    };
    const readOnce = async () => {
        if (await post(page, "/api/documents/paths", { paths: [path.trim()] })) setPath("");
    };
    const stop = (/** @type {any} */ one) => page.attempt(() => call("DELETE", `/api/watched/${one.id}`)).then(load);
    const here = watched.filter(({ workspace }) => !id || workspace === id);
    return html`<details class="folders-in" open=${here.length > 0}><summary>${t("serverFolders")}</summary>
        <p class="note">${t("serverFoldersHelp")}</p>
        <form class="in-line" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); watch(); }}>
            <input value=${path} aria-label=${t("folderPath")} placeholder=${t("folderPathPlaceholder")}
                onInput=${(/** @type {any} */ event) => setPath(event.target.value)} />
            <button type="submit" class="button" disabled=${!path.trim()}>${t("watchFolder")}</button>
            <button type="button" class="button" disabled=${!path.trim()} onClick=${readOnce}>${t("readOnce")}</button></form>
        <ul class="rows">${here.map((one) => html`<li class="row" key=${one.id}>
            <span class="row-text"><code>${one.path}</code>${one.error && html`<small class="problem">${one.error.message ?? one.error}</small>`}</span>
            <${IconButton} icon="close" label=${t("stopWatching", { path: one.path })} onClick=${() => stop(one)} /></li>`)}</ul>
    </details>`;
}
