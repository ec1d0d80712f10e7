/* Sidebar: the list of chats, grouped by day, with search; rename and delete beside each. On a phone
 * it is a drawer over the page. */

import { useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { Icon, IconButton, Mark } from "./icons.js";

/** @typedef {import("../types.js").Summary} Summary */

const DAY_MS = 86400000;

/** Lists by age, newest first, empty ones left out.
 * @param {Summary[]} summaries
 * @param {number} now
 * @returns {{ label: import("../i18n.js").StringKey, items: Summary[] }[]} */
export function groupByAge(summaries, now) {
    const today = new Date(now).setHours(0, 0, 0, 0);
    /** @type {[import("../i18n.js").StringKey, number][]} */
    const limits = [["today", today], ["yesterday", today - DAY_MS], ["thisWeek", today - 6 * DAY_MS],
                    ["older", -Infinity]];
    return limits
        .map(([label, from], index) => ({
            label,
            items: summaries.filter(({ updated }) =>
                updated >= from && (index === 0 || updated < limits[index - 1][1])),
        }))
        .filter(({ items }) => items.length);
}

/** @param {{ chat: import("../chat.js").Chat, onClose(): void, onNew(): void, onHelp(): void,
 *   onPick(): void }} props */
export function Sidebar({ chat, onClose, onNew, onHelp, onPick }) {
    const groups = groupByAge(chat.summaries, Date.now());
    return html`
        <nav class="sidebar" aria-label=${t("chats")}>
            <div class="sidebar-head">
                <a class="brand" href="/" onClick=${(/** @type {Event} */ event) => {
                    event.preventDefault();
                    onNew();
                }}><${Mark} />Den</a>
                <${IconButton} icon="sidebar" label=${t("hideSidebar")} onClick=${onClose} />
            </div>
            <button type="button" class="new-chat" onClick=${onNew}>
                <${Icon} name="compose" />${t("newChat")}</button>
            <div class="search">
                <${Icon} name="search" />
                <input id="search" type="search" placeholder=${t("searchChats")}
                    aria-label=${t("searchChats")} value=${chat.query}
                    onInput=${(/** @type {any} */ event) => chat.search(event.target.value)} />
            </div>
            <div class="chats">
                ${groups.map((group) => html`
                    <section key=${group.label}>
                        <h2>${t(group.label)}</h2>
                        <ul>${group.items.map((item) => html`
                            <${Row} key=${item.id} chat=${chat} item=${item} onPick=${onPick} />`)}</ul>
                    </section>`)}
                ${!groups.length && html`
                    <p class="nothing">${t(chat.query ? "nothingFound" : "noChats")}</p>`}
            </div>
            <div class="sidebar-foot">
                <p>${t("keptHere")}</p>
                <${IconButton} icon="help" label=${t("shortcuts")} onClick=${onHelp} />
            </div>
        </nav>`;
}

/** @param {{ chat: import("../chat.js").Chat, item: Summary, onPick(): void }} props */
function Row({ chat, item, onPick }) {
    const [isRenaming, setRenaming] = useState(false);
    const isShown = item.id === chat.conversation.id;
    const row = useRef(/** @type {HTMLElement | null} */ (null));
    const leave = () => {
        setRenaming(false);
        requestAnimationFrame(() =>
            /** @type {HTMLElement | null} */ (row.current?.querySelector(".chat-name"))?.focus());
    };
    const onKeyDown = (/** @type {any} */ event) => {
        event.stopPropagation();
        if (event.isComposing) return;
        if (event.key === "Escape") event.target.value = item.title;
        if (event.key === "Enter" || event.key === "Escape") {
            chat.rename(item.id, event.target.value);
            leave();
        }
    };
    const onBlur = (/** @type {any} */ event) => {
        if (event.target.value !== item.title) chat.rename(item.id, event.target.value);
        setRenaming(false);
    };
    if (isRenaming)
        return html`<li class="chat-row" ref=${row}>
            <input class="rename" aria-label=${t("rename")} defaultValue=${item.title} ref=${focusOnce}
                onBlur=${onBlur} onKeyDown=${onKeyDown} /></li>`;
    return html`
        <li class="chat-row ${isShown ? "shown" : ""}" ref=${row}>
            <button type="button" class="chat-name" aria-current=${isShown ? "true" : undefined}
                onDblClick=${() => setRenaming(true)}
                onClick=${() => { chat.select(item.id); onPick(); }}>
                ${chat.running.has(item.id) && html`<span class="pulse" />`}${item.title}</button>
            <span class="chat-actions">
                <${IconButton} icon="edit" label=${`${t("rename")}: ${item.title}`}
                    onClick=${() => setRenaming(true)} />
                <${IconButton} icon="trash" label=${`${t("delete")}: ${item.title}`}
                    onClick=${() => chat.remove(item.id)} />
            </span>
        </li>`;
}

/** @param {HTMLInputElement | null} input */
function focusOnce(input) {
    if (!input || document.activeElement === input) return;
    input.focus();
    input.select();
}
