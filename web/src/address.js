/* Address: what the part of the address behind # means, and back. `#/chat/ID/MESSAGE`, `#/documents`,
 * `#/models` ...; `#/in/WORKSPACE/...` before those that belong to a workspace. */

/** @typedef {"chat" | "models" | "settings" | "server" | "activity" | "documents" | "search" |
 *   "reports" | "workspace"} ViewName */

/* These belong to no workspace, and leave the chosen one as it is. */
const OUTSIDE = ["models", "settings", "server", "activity"];
const INSIDE = ["documents", "search", "reports", "workspace"];

/** @param {string} view */
export const isOutside = (view) => OUTSIDE.includes(view);

/** @param {string} hash
 * @returns {{ view: ViewName, id: string, message: string, workspace: string }} */
export function readAddress(hash) {
    const parts = hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
    const [, workspace = ""] = parts[0] === "in" ? parts.splice(0, 2) : [];
    const [view = "", id = "", message = ""] = parts;
    if (OUTSIDE.includes(view) || INSIDE.includes(view))
        return { view: /** @type {ViewName} */ (view), id, message: "", workspace };
    if (view === "chat") return { view: "chat", id, message, workspace };
    return { view: "chat", id: "", message: "", workspace };
}

/** @param {string} view @param {string} detail @param {string} workspace "": none */
export function toAddress(view, detail, workspace) {
    const place = workspace && !isOutside(view) ? `in/${workspace}/` : "";
    return `#/${place}${view}${detail ? `/${detail}` : ""}`;
}
