/* Header: above a conversation its model, its title and what can be done with it; above any other view
 * its name. */

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { isOutside } from "../address.js";
import { t } from "../i18n.js";
import { Icon, IconButton } from "./icons.js";
import { Menu } from "./menu.js";
import { RenameField, threadActions } from "./thread_row.js";

/** @typedef {{ page: import("../page.js").Page, sidebar: boolean, onSidebar(): void }} Props */

/** @param {Props} props */
function Left({ page, sidebar, onSidebar }) {
    return !sidebar && html`
        <${IconButton} icon="sidebar" label=${t("showSidebar")} onClick=${onSidebar} />
        <${IconButton} icon="compose" label=${t("newChat")} onClick=${() => page.newChat()} />`;
}

/** @param {Props & { panel: boolean, onPanel(): void }} props */
export function ChatHeader(props) {
    const { page, panel, onPanel } = props;
    const { open } = page;
    const [isRenaming, setRenaming] = useState("");
    const title = open.data.title;
    return html`
        <header class="header">
            <${Left} ...${props} />
            <${ModelButton} page=${page} />
            ${isRenaming === open.id
                ? html`<${RenameField} value=${title} label=${t("rename")} onDone=${(/** @type {string} */ name) => {
                    setRenaming("");
                    if (name.trim() && name !== title) page.threads.change(open.id, { title: name.trim() });
                }} />`
                : html`<h1 class="title ${title ? "" : "unnamed"}">${title || t("newChat")}</h1>`}
            ${!open.isNew && open.state === "ready" && html`<${Menu} label=${t("chatMenu", { title })}
                items=${() => threadActions(page, open.data, () => setRenaming(open.id))} />`}
            <${IconButton} icon="tune" label=${t("thisChat")} onClick=${onPanel} pressed=${panel} />
        </header>`;
}

/** @param {{ page: import("../page.js").Page }} props */
function ModelButton({ page }) {
    const { model, models } = page;
    const name = model ? model.title || model.name : models.isLoaded ? t("noModel") : "\u00a0";
    return html`<button type="button" class="model" aria-haspopup="dialog" aria-label=${`${t("model")}: ${name}`}
        title=${t("keyModel")} onClick=${() => (model ? page.ask("models") : page.go("models"))}>
        <span>${name}</span>${model?.state === "loading" && html`<span class="pulse" />`}
        <${Icon} name="chevron" /></button>`;
}

/** @param {Props} props */
export function ViewHeader(props) {
    const { view, workspaces } = props.page;
    const place = !isOutside(view) && workspaces.current?.name;
    return html`<header class="header"><${Left} ...${props} />
        <h1 class="view-title">${t(/** @type {"models"} */ (view))}</h1>
        ${place && html`<span class="view-place">${place}</span>`}</header>`;
}
