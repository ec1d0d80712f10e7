/* Commands: what can be done by name, for the box behind Ctrl+K and for `/` in the composer; one table.
 * And templates: `{{name}}` in a prompt's text is asked for before the text is used. */

import { chooseFiles, download } from "./files.js";
import { t } from "./i18n.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {{ name: string, label: import("./i18n.js").StringKey, act(page: Page): void,
 *   icon: import("./components/icons.js").IconName, chatOnly?: boolean, workspaceOnly?: boolean }} Command */

/** `name` is what is typed behind the slash, the same in every language.
 * @type {Command[]} */
export const COMMANDS = [
    { name: "new", label: "newChat", icon: "compose", act: (page) => page.newChat() },
    { name: "model", label: "keyModel", icon: "models", act: (page) => page.ask("models") },
    { name: "system", label: "systemPrompt", icon: "tune", chatOnly: true, act: (page) => page.ask("panel") },
    { name: "stop", label: "stop", icon: "stop", chatOnly: true, act: (page) => void page.open.stop() },
    { name: "again", label: "regenerate", icon: "redo", chatOnly: true, act: (page) => {
        const answer = page.open.lastAnswer;
        if (answer && !page.open.running) page.open.regenerate(answer);
    } },
    { name: "pin", label: "pin", icon: "pin", chatOnly: true, act: (page) =>
        void page.threads.change(page.open.id, { pinned: !page.open.data.pinned }) },
    { name: "export", label: "exportMarkdown", icon: "download", chatOnly: true, act: (page) =>
        exportThread(page, page.open.id, "markdown") },
    { name: "delete", label: "deleteChat", icon: "trash", chatOnly: true, act: (page) =>
        void page.threads.remove(page.open.id) },
    { name: "prompts", label: "prompts", icon: "edit", act: (page) => page.go("settings", "prompts") },
    { name: "documents", label: "documents", icon: "file", act: (page) => page.go("documents") },
    { name: "search", label: "searchDocuments", icon: "search", act: (page) => page.go("search") },
    { name: "reports", label: "reports", icon: "report", act: (page) => page.go("reports") },
    { name: "workspace", label: "newWorkspace", icon: "workspace", act: (page) => beginWorkspace(page) },
    { name: "import", label: "importWorkspace", icon: "download", act: (page) => void importWorkspace(page) },
    { name: "leave", label: "noWorkspace", icon: "close", workspaceOnly: true, act: (page) => page.workspaces.choose("") },
    { name: "retrieval", label: "workspaceSettings", icon: "tune", workspaceOnly: true, act: (page) => page.go("workspace") },
    { name: "models", label: "models", icon: "models", act: (page) => page.go("models") },
    { name: "settings", label: "settings", icon: "settings", act: (page) => page.go("settings") },
    { name: "server", label: "server", icon: "server", act: (page) => page.go("server") },
    { name: "activity", label: "activity", icon: "activity", act: (page) => page.go("activity") },
    { name: "help", label: "shortcuts", icon: "help", act: (page) => page.ask("help") },
];

/** Asks for a name, then goes there. @param {Page} page */
export function beginWorkspace(page) {
    page.ask("name", {
        title: t("newWorkspace"), label: t("workspaceName"), value: "", action: t("create"),
        act: async (/** @type {string} */ name) => {
            const made = await page.workspaces.create(name);
            if (!made) return;
            page.workspaces.set(made.id);
            page.go("documents");
        },
    });
}

/** A workspace that was exported, here or elsewhere. @param {Page} page */
export async function importWorkspace(page) {
    const [file] = await chooseFiles(".den-workspace");
    if (file) page.ask("import", { file });
}

/** @param {Page} page @param {string} id @param {"markdown" | "json"} format */
export function exportThread(page, id, format) {
    const name = format === "json" ? "chat.json" : "chat.md";
    page.attempt(() => download(`/api/threads/${id}/export?format=${format}`, name));
}

/** @param {Page} page
 * @returns {Command[]} that make sense now */
export function commandsNow(page) {
    return COMMANDS.filter((one) => (!one.chatOnly || !page.open.isNew || one.name === "system") &&
        (!one.workspaceOnly || page.workspaces.id));
}

const VARIABLE = /\{\{\s*([^{}]+?)\s*\}\}/g;

/** The names that a template asks for, each once. @param {string} text */
export function variablesOf(text) {
    return [...new Set([...text.matchAll(VARIABLE)].map((match) => match[1]))];
}

/** @param {string} text @param {Record<string, string>} values */
export function fillTemplate(text, values) {
    return text.replace(VARIABLE, (whole, name) => values[name] ?? whole);
}

/** Letters in order, the way people abbreviate. @param {string} text @param {string} typed */
export function fits(text, typed) {
    const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
    const lower = text.toLowerCase();
    return words.every((word) => lower.includes(word));
}
