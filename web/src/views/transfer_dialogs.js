/* Transfer dialogs: a workspace that comes in as a file; everything put back from a backup. While the file
 * goes its bytes are counted, and the dialog holds: only its own buttons close it. */

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { formatBytes, formatNumber } from "../i18n.js";
import { t } from "../later_words.js";
import { toFailure } from "../api.js";
import { Dialog } from "../components/dialog.js";
import { sendFile } from "./sending.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {"" | "sending" | "done" | "failed"} Phase */

/** @param {Page} page @param {string} path @param {File} file */
function useTransfer(page, path, file) {
    const [phase, setPhase] = useState(/** @type {Phase} */ (""));
    const [bytes, setBytes] = useState(0);
    const [reply, setReply] = useState(/** @type {any} */ (null));
    const [problem, setProblem] = useState("");
    const stopper = useRef(/** @type {AbortController | null} */ (null));
    useEffect(() => {
        const hold = (/** @type {Event} */ event) => stopper.current && event.preventDefault();
        addEventListener("beforeunload", hold);
        return () => {
            stopper.current?.abort();
            removeEventListener("beforeunload", hold);
        };
    }, []);
    const start = async () => {
        const stop = new AbortController();
        stopper.current = stop;
        setPhase("sending");
        setBytes(0);
        try {
            setReply(await sendFile(path, file, setBytes, stop.signal));
            setPhase("done");
        } catch (error) {
            if (stop.signal.aborted) return;
            page.note(error);
            setProblem(toFailure(error).detail);
            setPhase("failed");
        }
        stopper.current = null;
    };
    return { phase, bytes, reply, problem, start };
}

/** @param {{ file: File, transfer: ReturnType<typeof useTransfer> }} props */
function Progress({ file, transfer: { phase, bytes, problem } }) {
    const isGone = bytes >= file.size;
    if (phase === "failed") return html`<p class="problem" role="alert">${problem}</p>`;
    if (phase !== "sending") return null;
    return html`<div class="transfer" role="status"><progress aria-label=${file.name} max=${file.size || 1} value=${isGone ? undefined : bytes} />
        <p class="facts">${isGone ? t("takenIn") : t("bytesOf", { done: formatBytes(bytes), total: formatBytes(file.size) })}</p></div>`;
}

/** @param {{ page: Page, file: File, onClose(): void }} props */
export function ImportWorkspace({ page, file, onClose }) {
    const transfer = useTransfer(page, "/api/workspaces/import", file);
    const { phase, reply, start } = transfer;
    useEffect(() => void start(), []);
    useEffect(() => {
        if (phase === "done" && reply?.workspace) page.workspaces.put(reply.workspace);
    }, [phase]);
    const look = () => {
        onClose();
        page.workspaces.set(reply.workspace.id);
        page.go("documents");
    };
    return html`<${Dialog} title=${t("importWorkspace")} isHeld=${phase === "sending"} onClose=${onClose}>
        <p>${file.name}</p>
        <${Progress} file=${file} transfer=${transfer} />
        ${phase === "done" && html`<p role="status">${t("workspaceImported", { name: reply?.workspace?.name ?? file.name,
            documents: formatNumber(reply?.documents ?? 0), threads: formatNumber(reply?.threads ?? 0) })}</p>`}
        <div class="editor-actions">
            <button type="button" class="button" onClick=${onClose}>${t(phase === "sending" ? "cancel" : "close")}</button>
            ${phase === "failed" && html`<button type="button" class="button primary" onClick=${start}>${t("tryAgain")}</button>`}
            ${phase === "done" && reply?.workspace && html`<button type="button" class="button primary" onClick=${look}>${t("showWorkspace")}</button>`}
        </div><//>`;
}

/** The word must be written before anything is replaced; afterwards the page begins anew.
 * @param {{ page: Page, file: File, onClose(): void }} props */
export function Restore({ page, file, onClose }) {
    const [typed, setTyped] = useState("");
    const transfer = useTransfer(page, "/api/restore", file);
    const { phase, reply, start } = transfer;
    const word = t("restoreWord");
    const isSure = typed.trim().toLowerCase() === word.toLowerCase();
    const begin = (/** @type {Event} */ event) => {
        event.preventDefault();
        if (isSure && phase !== "sending") start();
    };
    const close = () => {
        onClose();
        if (phase !== "done") return;
        history.replaceState(null, "", "#/");
        location.reload();
    };
    return html`<${Dialog} title=${t("restore")} isHeld=${phase === "sending"} onClose=${close}>
        ${phase === "done" ? html`<p role="status">${t("restored", { documents: formatNumber(reply?.documents ?? 0), threads: formatNumber(reply?.threads ?? 0) })}</p>`
            : html`<p>${t("restoreText", { name: file.name, bytes: formatBytes(file.size) })}</p>`}
        <form onSubmit=${begin}>
            ${(phase === "" || phase === "failed") && html`<label class="stacked"><span>${t("restoreSure", { word })}</span>
                <input autofocus autocomplete="off" value=${typed} onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} /></label>`}
            <${Progress} file=${file} transfer=${transfer} />
            <div class="editor-actions">
                <button type="button" class="button" onClick=${close}>${t(phase === "done" ? "beginAnew" : "cancel")}</button>
                ${phase !== "done" && html`<button type="submit" class="button danger" disabled=${!isSure || phase === "sending"}>${t("restore")}</button>`}
            </div></form><//>`;
}
