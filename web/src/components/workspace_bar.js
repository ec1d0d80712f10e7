/* Workspace bar: which workspace the sidebar is of, and the way to its documents. With none chosen it
 * offers to begin one. */

import { html } from "../html.js";
import { beginWorkspace, importWorkspace } from "../commands.js";
import { t } from "../i18n.js";
import { Icon } from "./icons.js";
import { Menu } from "./menu.js";

/** @typedef {import("../page.js").Page} Page */

/** @param {Page} page */
function rename(page) {
    const { current } = page.workspaces;
    if (!current) return;
    page.ask("name", {
        title: t("rename"), label: t("workspaceName"), value: current.name, action: t("save"),
        act: (/** @type {string} */ name) => page.workspaces.change(current.id, { name }),
    });
}

/** @param {Page} page */
export function removeWorkspace(page) {
    const { current } = page.workspaces;
    if (!current) return;
    page.ask("confirm", {
        title: t("deleteWorkspace"), text: t("deleteWorkspaceText", { name: current.name }),
        action: t("delete"), act: () => page.workspaces.remove(current.id),
    });
}

/** @param {{ page: Page, onPick(): void }} props */
export function WorkspaceBar({ page, onPick }) {
    const { workspaces } = page;
    if (!workspaces.isOffered) return null;
    const { current, all, id } = workspaces;
    const name = current?.name ?? t("noWorkspace");
    const choose = (/** @type {string} */ wanted) => () => { workspaces.choose(wanted); onPick(); };
    return html`<section class="workspace-bar" aria-label=${t("workspace")}>
        <div class="workspace-choice">
            <${Menu} label=${`${t("workspace")}: ${name}`} class="workspace-name" items=${() => [
                { label: t("noWorkspace"), isOn: !id, act: choose("") },
                ...all.map((one) => ({ label: one.name, isOn: one.id === id, act: choose(one.id) })),
                null,
                { label: t("newWorkspace"), icon: "compose", act: () => { beginWorkspace(page); onPick(); } },
                { label: t("importWorkspace"), icon: "download", act: () => { importWorkspace(page); onPick(); } },
            ]}><${Icon} name="workspace" /><span>${name}</span><${Icon} name="chevron" /><//>
            ${current && html`<${Menu} label=${t("workspaceMenu", { name })} items=${() => [
                { label: t("workspaceSettings"), icon: "tune", act: () => { page.go("workspace"); onPick(); } },
                { label: t("rename"), icon: "edit", act: () => rename(page) },
                null,
                { label: t("deleteWorkspace"), icon: "trash", isDanger: true, act: () => removeWorkspace(page) },
            ]} />`}
        </div>
        <div class="workspace-links">
            <${Place} page=${page} view="documents" onPick=${onPick} count=${current?.documents} />
            <${Place} page=${page} view="search" onPick=${onPick} />
            <${Place} page=${page} view="reports" onPick=${onPick} />
        </div></section>`;
}

/** @param {{ page: Page, view: "documents" | "search" | "reports", count?: number, onPick(): void }} props */
function Place({ page, view, count, onPick }) {
    return html`<a href=${page.address(view)} class="place" onClick=${onPick}
        aria-current=${page.view === view ? "page" : undefined}>
        <span>${t(view)}</span>${count ? html`<small>${count}</small>` : null}</a>`;
}
