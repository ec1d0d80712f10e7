/* App: the page's frame: sidebar, header, transcript, composer, settings, dialogs; and the keys that
 * work everywhere. It redraws when the chat says that something changed. */

import { useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { actionOf } from "../keys.js";
import { copyText } from "../clipboard.js";
import { focusComposer } from "../focus.js";
import { Banner } from "./banner.js";
import { Composer } from "./composer.js";
import { HelpDialog, TokenDialog } from "./dialogs.js";
import { IconButton } from "./icons.js";
import { SettingsPanel } from "./settings_panel.js";
import { Sidebar } from "./sidebar.js";
import { Transcript } from "./transcript.js";

/** @typedef {import("../chat.js").Chat} Chat */

const isNarrow = () => matchMedia("(max-width: 50rem)").matches;

/** What a screen reader is told: that an answer began, and how it begins once it is there.
 * @param {Chat} chat */
function announcementOf(chat) {
    if (chat.announcement === "answering") return t("announceAnswering");
    if (chat.announcement === "failed") return t("announceFailed");
    if (chat.announcement !== "answered") return "";
    const text = chat.path.at(-1)?.content ?? "";
    return t("announceAnswered", { text: Array.from(text).slice(0, 200).join("") });
}

/** @param {{ chat: Chat }} props */
export function App({ chat }) {
    const [, redraw] = useReducer((/** @type {number} */ count) => count + 1, 0);
    const [sidebar, setSidebar] = useState(() => chat.settings.sidebar && !isNarrow());
    const [panel, setPanel] = useState(false);
    const [help, setHelp] = useState(false);
    const wantsSearch = useRef(false); /* focus the field once the sidebar is there */
    const composer = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
    chat.onChange = () => redraw(0);

    const toggleSidebar = () => {
        if (!isNarrow()) chat.setSettings({ sidebar: !sidebar });
        setSidebar(!sidebar);
    };
    const newChat = () => {
        chat.newChat();
        if (isNarrow()) setSidebar(false);
        focusComposer();
    };
    const closeSomething = () => {
        if (chat.query && document.activeElement?.id === "search") chat.search("");
        else if (chat.isAnswering) chat.stop();
        else if (panel) setPanel(false);
        else if (sidebar && isNarrow()) setSidebar(false);
        else focusComposer();
    };
    const search = () => {
        setSidebar(true);
        wantsSearch.current = true;
        redraw(0);
    };
    useLayoutEffect(() => {
        if (!wantsSearch.current) return;
        wantsSearch.current = false;
        document.getElementById("search")?.focus();
    });
    const copyAnswer = () => {
        const answer = chat.path.filter((message) => message.role === "assistant").at(-1);
        if (answer) copyText(answer.content);
    };
    useEffect(() => {
        const actions = { search, newChat, copyAnswer, sidebar: toggleSidebar, stop: closeSomething,
                          settings: () => setPanel(!panel), help: () => setHelp(true) };
        const onKey = (/** @type {KeyboardEvent} */ event) => {
            const action = actionOf(event);
            if (!action || document.querySelector("dialog[open]")) return;
            if (event.defaultPrevented) return;
            event.preventDefault();
            actions[action]();
        };
        document.addEventListener("keydown", onKey);
        return () => document.removeEventListener("keydown", onKey);
    });
    useEffect(() => {
        document.title = chat.conversation.title ? `${chat.conversation.title} · Den` : "Den";
    });

    return html`
        <div class="frame ${sidebar ? "with-sidebar" : ""} ${panel ? "with-panel" : ""}">
            ${sidebar && html`
                <${Sidebar} chat=${chat} onClose=${toggleSidebar} onNew=${newChat}
                    onHelp=${() => setHelp(true)} onPick=${() => isNarrow() && setSidebar(false)} />
                <div class="scrim" onClick=${() => setSidebar(false)} />`}
            <main class="main">
                <${Header} chat=${chat} sidebar=${sidebar} panel=${panel} onSidebar=${toggleSidebar}
                    onNew=${newChat} onPanel=${() => setPanel(!panel)} />
                <${Banner} chat=${chat} />
                <${Transcript} chat=${chat} />
                <${Composer} chat=${chat} inputRef=${composer} />
            </main>
            ${panel && html`<${SettingsPanel} chat=${chat} onClose=${() => setPanel(false)} />`}
            <p class="only-heard" role="status">${announcementOf(chat)}</p>
            ${help && html`<${HelpDialog} onClose=${() => setHelp(false)} />`}
            ${chat.needsToken && html`<${TokenDialog} chat=${chat} />`}
        </div>`;
}

/** @param {{ chat: Chat, sidebar: boolean, panel: boolean, onSidebar(): void, onNew(): void,
 *   onPanel(): void }} props */
function Header({ chat, sidebar, panel, onSidebar, onNew, onPanel }) {
    return html`
        <header class="header">
            ${!sidebar && html`
                <${IconButton} icon="sidebar" label=${t("showSidebar")} onClick=${onSidebar} />
                <${IconButton} icon="compose" label=${t("newChat")} onClick=${onNew} />`}
            <${ModelPicker} chat=${chat} />
            <h1 class="title ${chat.conversation.title ? "" : "unnamed"}">
                ${chat.conversation.title || t("newChat")}</h1>
            <${IconButton} icon="settings" label=${t("settings")} onClick=${onPanel} pressed=${panel} />
        </header>`;
}

/** @param {{ chat: Chat }} props */
function ModelPicker({ chat }) {
    const { models, model } = chat;
    if (!model) return html`<span class="model-name">${t("noModel")}</span>`;
    return html`
        <select class="model" aria-label=${t("model")} value=${model.id} title=${model.description}
            onChange=${(/** @type {any} */ event) => chat.setModel(event.target.value)}>
            ${models.map((one) => html`<option value=${one.id} selected=${one === model}>${one.id}</option>`)}
        </select>`;
}
