/* App: the page's frame: sidebar, header, the view that the address asks for, dialogs; and the keys that
 * work everywhere. It redraws when the page says that something changed. */

import { useEffect, useReducer, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { actionOf } from "../keys.js";
import { copyText } from "../clipboard.js";
import { focusComposer } from "../focus.js";
import { Banner, Toasts } from "./banner.js";
import { Composer } from "./composer.js";
import { TokenDialog } from "./dialog.js";
import { ChatHeader, ViewHeader } from "./header.js";
import { lazy } from "./lazy.js";
import { Panel } from "./panel.js";
import { Sidebar } from "./sidebar.js";
import { Transcript } from "./transcript.js";
import { NotThere, Welcome } from "./welcome.js";

/** @typedef {import("../page.js").Page} Page */

const VIEWS = {
    models: lazy(() => import("../views/models_view.js"), "ModelsView"),
    settings: lazy(() => import("../views/settings_view.js"), "SettingsView"),
    server: lazy(() => import("../views/server_view.js"), "ServerView"),
    activity: lazy(() => import("../views/activity_view.js"), "ActivityView"),
    documents: lazy(() => import("../views/documents_view.js"), "DocumentsView"),
    search: lazy(() => import("../views/search_view.js"), "SearchView"),
    reports: lazy(() => import("../views/reports_view.js"), "ReportsView"),
    workspace: lazy(() => import("../views/workspace_view.js"), "WorkspaceView"),
};
const SearchPalette = lazy(() => import("../views/palette.js"), "SearchPalette");
const ModelPalette = lazy(() => import("../views/palette.js"), "ModelPalette");
const SourcePanel = lazy(() => import("../views/source_panel.js"), "SourcePanel");
const OpenDialog = lazy(() => import("../views/dialogs.js"), "OpenDialog");

const isNarrow = () => matchMedia("(max-width: 50rem)").matches;

/** What a screen reader is told: that an answer began, and how it begins once it is there.
 * @param {Page} page */
function announcementOf({ announcement: { what, text } }) {
    if (what === "answering") return t("announceAnswering");
    if (what === "failed") return t("announceFailed");
    return what && t("announceAnswered", { text: Array.from(text).slice(0, 200).join("") });
}

/** @param {Page} page @param {RegExp} pattern */
function copyLastCode(page, pattern) {
    const blocks = [...(page.open.lastAnswer?.content ?? "").matchAll(pattern)];
    const code = blocks.at(-1)?.[2];
    if (code) copyText(code);
}
const FENCED = /^(```+|~~~+)[^\n]*\n([\s\S]*?)^\1/gm;

/** @param {{ page: Page }} props */
export function App({ page }) {
    const [, redraw] = useReducer((/** @type {number} */ count) => count + 1, 0);
    const [sidebar, setSidebar] = useState(() => page.settings.sidebar && !isNarrow());
    page.onChange = () => redraw(0);
    const panel = page.hasPanel && page.view === "chat" && !page.source;
    const setPanel = (/** @type {boolean} */ isOpen) => {
        page.hasPanel = isOpen;
        page.source = null;
        page.changed();
    };
    const toggleSidebar = () => {
        if (!isNarrow()) page.setSettings({ sidebar: !sidebar });
        setSidebar(!sidebar);
    };
    const closeDrawer = () => isNarrow() && setSidebar(false);
    const closeSomething = () => {
        if (page.view === "chat" && page.open.running) page.open.stop();
        else if (page.source) page.showSource([], 0);
        else if (panel) setPanel(false);
        else if (sidebar && isNarrow()) setSidebar(false);
        else focusComposer();
    };
    useEffect(() => {
        const actions = {
            search: () => page.ask("search"), models: () => page.ask("models"), help: () => page.ask("help"),
            newChat: () => { page.newChat(); focusComposer(); },
            copyAnswer: () => copyText(page.open.lastAnswer?.content ?? ""),
            copyCode: () => copyLastCode(page, FENCED),
            sidebar: toggleSidebar, stop: closeSomething,
            settings: () => (page.view === "settings" ? history.back() : page.go("settings")),
        };
        const onKey = (/** @type {KeyboardEvent} */ event) => {
            const action = actionOf(event, page.settings);
            if (!action || event.defaultPrevented || document.querySelector("dialog[open]")) return;
            event.preventDefault();
            actions[action]();
        };
        document.addEventListener("keydown", onKey);
        return () => document.removeEventListener("keydown", onKey);
    });
    useEffect(() => {
        const name = page.view === "chat" ? page.open.data.title : t(/** @type {"models"} */ (page.view));
        document.title = name ? `${name} · Den` : "Den";
    });
    const dialog = page.dialog?.name;
    const headerProps = { page, sidebar, onSidebar: toggleSidebar };
    return html`
        <div class="frame ${sidebar ? "with-sidebar" : ""} ${panel ? "with-panel" : ""} ${page.source ? "with-panel with-source" : ""}">
            ${sidebar && html`<${Sidebar} page=${page} onClose=${toggleSidebar} onPick=${closeDrawer} />
                <div class="scrim" onClick=${() => setSidebar(false)} />`}
            <main class="main" key="main">
                ${page.view === "chat"
                    ? html`<${ChatHeader} ...${headerProps} panel=${panel} onPanel=${() => setPanel(!panel)} />`
                    : html`<${ViewHeader} ...${headerProps} />`}
                <${Banner} page=${page} />
                ${page.view === "chat" ? html`<${Conversation} page=${page} />`
                    : html`<${/** @type {any} */ (VIEWS)[page.view]} page=${page} key=${page.view} />`}
            </main>
            ${panel && html`<${Panel} page=${page} onClose=${() => setPanel(false)} />`}
            ${page.source && html`<${SourcePanel} page=${page} />`}
            <p class="only-heard" role="status">${announcementOf(page)}</p>
            <${Toasts} page=${page} />
            <div class="drop-hint" aria-hidden="true">${t("dropHere")}</div>
            ${dialog === "search" && html`<${SearchPalette} page=${page} />`}
            ${dialog === "models" && html`<${ModelPalette} page=${page} answer=${page.dialog?.data?.answer} />`}
            ${dialog && html`<${OpenDialog} page=${page} />`}
            ${page.needsToken && html`<${TokenDialog} page=${page} />`}
        </div>`;
}

/** @param {{ page: Page }} props */
function Conversation({ page }) {
    const { open } = page;
    if (open.state !== "ready") return html`<${NotThere} page=${page} />`;
    return html`
        ${open.path.length ? html`<${Transcript} key=${open.id} page=${page} />` : html`<${Welcome} page=${page} />`}
        <${Composer} page=${page} />`;
}
