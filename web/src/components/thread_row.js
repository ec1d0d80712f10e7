/* Thread row: one chat in the list, with its menu. */

import { useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { exportThread } from "../commands.js";
import { Icon } from "./icons.js";
import { Menu } from "./menu.js";

/** @typedef {import("../page.js").Page} Page */

/** What can be done with a chat; the header has the same menu.
 * @param {Page} page @param {import("../types.js").Summary} item @param {() => void} onRename
 * @returns {(import("./menu.js").Item | null)[]} */
export function threadActions(page, item, onRename) {
    const { threads } = page;
    return [
        { label: t("rename"), icon: "edit", act: onRename },
        { label: t(item.pinned ? "unpin" : "pin"), icon: "pin",
          act: () => threads.change(item.id, { pinned: !item.pinned }) },
        { label: t("moveTo"), icon: "folder", act: () => page.ask("move", { thread: item }) },
        null,
        { label: t("exportMarkdown"), icon: "download", act: () => exportThread(page, item.id, "markdown") },
        { label: t("exportJson"), icon: "download", act: () => exportThread(page, item.id, "json") },
        null,
        { label: t("deleteChat"), icon: "trash", isDanger: true, act: () => threads.remove(item.id) },
    ];
}

/** @param {{ page: Page, item: import("../types.js").Summary, onPick(): void }} props */
export function ThreadRow({ page, item, onPick }) {
    const [isRenaming, setRenaming] = useState(false);
    const row = useRef(/** @type {HTMLElement | null} */ (null));
    const isShown = page.view === "chat" && item.id === page.open.id;
    const title = item.title || t("newChat");
    const onDone = (/** @type {string} */ name) => {
        setRenaming(false);
        if (name.trim() && name.trim() !== item.title) page.threads.change(item.id, { title: name.trim() });
        requestAnimationFrame(() =>
            /** @type {HTMLElement | null} */ (row.current?.querySelector(".chat-name"))?.focus());
    };
    if (isRenaming)
        return html`<li class="chat-row" ref=${row}>
            <${RenameField} value=${item.title} label=${t("rename")} onDone=${onDone} /></li>`;
    return html`
        <li class="chat-row ${isShown ? "shown" : ""}" ref=${row} draggable="true"
            onDragStart=${(/** @type {DragEvent} */ event) =>
                event.dataTransfer?.setData("text/den-thread", item.id)}>
            <a class="chat-name" href=${page.address("chat", item.id)} aria-current=${isShown ? "page" : undefined}
                title=${item.preview || title} draggable="false" onClick=${onPick}
                onDblClick=${() => setRenaming(true)}>
                ${item.running && html`<span class="pulse" role="img" aria-label=${t("announceAnswering")} />`}
                ${item.pinned && html`<${Icon} name="pin" />`}<span>${title}</span></a>
            <span class="chat-actions"><${Menu} label=${t("chatMenu", { title })}
                items=${() => threadActions(page, item, () => setRenaming(true))} /></span>
        </li>`;
}

/** A name in place of a label: Enter or leaving takes it, Escape keeps the old one.
 * @param {{ value: string, label: string, onDone(value: string): void }} props */
export function RenameField({ value, label, onDone }) {
    const isDone = useRef(false);
    const done = (/** @type {string} */ name) => {
        if (isDone.current) return;
        isDone.current = true;
        onDone(name);
    };
    const onKeyDown = (/** @type {any} */ event) => {
        event.stopPropagation();
        if (event.isComposing) return;
        if (event.key === "Enter") done(event.target.value);
        if (event.key === "Escape") done(value);
    };
    return html`<input class="rename" aria-label=${label} defaultValue=${value} ref=${focusOnce}
        onBlur=${(/** @type {any} */ event) => done(event.target.value)} onKeyDown=${onKeyDown} />`;
}

/** @param {HTMLInputElement | null} input */
function focusOnce(input) {
    if (!input || input.dataset.seen) return;
    input.dataset.seen = "yes";
    input.focus();
    input.select();
}
