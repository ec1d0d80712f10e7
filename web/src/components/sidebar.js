/* Sidebar: the chats, pinned ones first, then folders, then by day; the list is fetched as it is
 * scrolled. A chat is moved to a folder by its menu or by dragging it there. On a phone it is a drawer
 * over the page. */

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { Icon, IconButton, Mark } from "./icons.js";
import { Menu } from "./menu.js";
import { RenameField, ThreadRow } from "./thread_row.js";
import { WorkspaceBar } from "./workspace_bar.js";

/** @typedef {import("../types.js").Summary} Summary */
/** @typedef {import("../page.js").Page} Page */

const DAY_MS = 86400000;

/** Lists by age, newest first, empty ones left out; pinned ones before all.
 * @param {Summary[]} summaries
 * @param {number} now
 * @returns {{ label: import("../i18n.js").StringKey, items: Summary[] }[]} */
export function groupByAge(summaries, now) {
    const today = new Date(now).setHours(0, 0, 0, 0);
    /** @type {[import("../i18n.js").StringKey, number][]} */
    const limits = [["today", today], ["yesterday", today - DAY_MS], ["thisWeek", today - 6 * DAY_MS],
                    ["older", -Infinity]];
    const free = summaries.filter(({ pinned }) => !pinned);
    const groups = limits.map(([label, from], index) => ({
        label,
        items: free.filter(({ updated }) =>
            updated >= from && (index === 0 || updated < limits[index - 1][1])),
    }));
    /** @type {typeof groups} */
    const all = [{ label: "pinned", items: summaries.filter(({ pinned }) => pinned) }, ...groups];
    return all.filter(({ items }) => items.length);
}

/** @param {{ page: Page, onClose(): void, onPick(): void }} props */
export function Sidebar({ page, onClose, onPick }) {
    const { threads } = page;
    const groups = groupByAge(threads.inFolder(null), Date.now());
    const isEmpty = threads.isLoaded && !groups.length && !threads.folders.length;
    return html`
        <nav class="sidebar" aria-label=${t("chats")}>
            <div class="sidebar-head">
                <a class="brand" href=${page.address("")} onClick=${(/** @type {Event} */ event) => {
                    event.preventDefault();
                    page.newChat();
                    onPick();
                }}><${Mark} />Den</a>
                <${IconButton} icon="sidebar" label=${t("hideSidebar")} onClick=${onClose} />
            </div>
            <button type="button" class="new-chat" onClick=${() => { page.newChat(); onPick(); }}>
                <${Icon} name="compose" />${t("newChat")}</button>
            <button type="button" class="search" onClick=${() => page.ask("search")}>
                <${Icon} name="search" /><span>${t("searchChats")}</span><kbd>${
                    /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘K" : "Ctrl K"}</kbd></button>
            <${WorkspaceBar} page=${page} onPick=${onPick} />
            <div class="chats" aria-busy=${!threads.isLoaded}>
                <${Folders} page=${page} onPick=${onPick} />
                <${DropPlace} page=${page} folder=${null}>
                    ${groups.map((group) => html`
                        <section key=${group.label} aria-label=${t(group.label)}>
                            <h2>${t(group.label)}</h2>
                            <ul>${group.items.map((item) => html`
                                <${ThreadRow} key=${item.id} page=${page} item=${item} onPick=${onPick} />`)}</ul>
                        </section>`)}
                <//>
                ${isEmpty && html`<p class="nothing">${t("noChats")}</p>`}
                ${threads.cursor && html`<${More} onSeen=${() => threads.loadMore()} />`}
            </div>
            <${Foot} page=${page} onPick=${onPick} />
        </nav>`;
}

/** @param {{ page: Page, onPick(): void }} props */
function Foot({ page, onPick }) {
    const link = (/** @type {"models" | "server" | "activity" | "settings"} */ view) => html`
        <a class="foot-link" href="#/${view}" aria-current=${page.view === view ? "page" : undefined}
            onClick=${onPick} title=${t(view)} aria-label=${t(view)}><${Icon} name=${view} /></a>`;
    return html`<div class="sidebar-foot">
        ${link("models")}${link("activity")}${link("server")}${link("settings")}
        <${IconButton} icon="help" label=${t("shortcuts")} onClick=${() => page.ask("help")} />
    </div>`;
}

/** @param {{ page: Page, onPick(): void }} props */
function Folders({ page, onPick }) {
    const { threads } = page;
    const [isAdding, setAdding] = useState(false);
    const hasChats = threads.items.size > 0 || threads.folders.length > 0;
    return html`
        <section aria-label=${t("folders")} class="folders">
            ${(threads.folders.length > 0 || isAdding) && html`<h2>${t("folders")}</h2>`}
            <ul>${threads.folders.map((folder) => html`
                <${Folder} key=${folder.id} page=${page} folder=${folder} onPick=${onPick} />`)}
                ${isAdding && html`<li class="chat-row"><${RenameField} value="" label=${t("folderName")}
                    onDone=${(/** @type {string} */ name) => {
                        setAdding(false);
                        if (name.trim()) threads.createFolder(name);
                    }} /></li>`}</ul>
            ${hasChats && html`<button type="button" class="add-folder" onClick=${() => setAdding(true)}>
                <${Icon} name="compose" />${t("newFolder")}</button>`}
        </section>`;
}

/** @param {{ page: Page, folder: import("../types.js").Folder, onPick(): void }} props */
function Folder({ page, folder, onPick }) {
    const { threads } = page;
    const [isRenaming, setRenaming] = useState(false);
    const isOpen = threads.openFolders.has(folder.id);
    if (isRenaming)
        return html`<li class="chat-row"><${RenameField} value=${folder.name} label=${t("rename")}
            onDone=${(/** @type {string} */ name) => {
                setRenaming(false);
                threads.renameFolder(folder.id, name);
            }} /></li>`;
    return html`<${DropPlace} page=${page} folder=${folder.id} tag="li">
        <div class="chat-row folder">
            <button type="button" class="chat-name" aria-expanded=${isOpen}
                onClick=${() => threads.toggleFolder(folder.id)}>
                <${Icon} name=${isOpen ? "chevron" : "folder"} />${folder.name}</button>
            <span class="chat-actions"><${Menu} label=${t("folderMenu", { name: folder.name })} items=${() => [
                { label: t("newChatHere"), icon: "compose", act: () => { page.newChat(folder.id); onPick(); } },
                { label: t("rename"), icon: "edit", act: () => setRenaming(true) },
                null,
                { label: t("deleteFolder"), icon: "trash", isDanger: true,
                  act: () => threads.removeFolder(folder.id) },
            ]} /></span>
        </div>
        ${isOpen && html`<ul class="inside">${threads.inFolder(folder.id).map((item) => html`
            <${ThreadRow} key=${item.id} page=${page} item=${item} onPick=${onPick} />`)}
            ${!threads.inFolder(folder.id).length && html`<li class="nothing">${t("folderEmpty")}</li>`}</ul>`}
    <//>`;
}

/** Where a dragged chat may be let go.
 * @param {{ page: Page, folder: string | null, tag?: string, children?: any }} props */
function DropPlace({ page, folder, tag = "div", children }) {
    const [isOver, setOver] = useState(false);
    const isOurs = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("text/den-thread");
    return html`<${tag} class=${isOver ? "drop-here" : ""}
        onDragOver=${(/** @type {DragEvent} */ event) => {
            if (!isOurs(event)) return;
            event.preventDefault();
            setOver(true);
        }}
        onDragLeave=${() => setOver(false)}
        onDrop=${(/** @type {DragEvent} */ event) => {
            setOver(false);
            const id = event.dataTransfer?.getData("text/den-thread");
            if (!id) return;
            event.preventDefault();
            page.threads.change(id, { folder });
        }}>${children}<//>`;
}

/** Fetches more when it comes into view. @param {{ onSeen(): void }} props */
function More({ onSeen }) {
    const place = useRef(/** @type {HTMLElement | null} */ (null));
    const seen = useRef(onSeen);
    seen.current = onSeen;
    useEffect(() => {
        const observer = new IntersectionObserver((entries) => {
            if (entries.some(({ isIntersecting }) => isIntersecting)) seen.current();
        }, { rootMargin: "300px" });
        if (place.current) observer.observe(place.current);
        return () => observer.disconnect();
    });
    return html`<p class="nothing" ref=${place}>${t("loading")}</p>`;
}
