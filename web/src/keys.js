/* Keys: the page's shortcuts, as a table that both the listener and the help read. `mod` is Ctrl, on
 * Apple's systems Command. The choices follow what most chat pages agree on. */

/** @typedef {"search" | "newChat" | "sidebar" | "settings" | "help" | "copyAnswer" | "stop"} Action */

/** @type {{ keys: string, action: Action | null, label: import("./i18n.js").StringKey }[]} */
export const SHORTCUTS = [
    { keys: "Enter", action: null, label: "keySend" },
    { keys: "Shift+Enter", action: null, label: "keyNewline" },
    { keys: "Escape", action: "stop", label: "keyStop" },
    { keys: "ArrowUp", action: null, label: "keyEditLast" },
    { keys: "mod+K", action: "search", label: "keySearch" },
    { keys: "mod+Shift+O", action: "newChat", label: "keyNewChat" },
    { keys: "mod+B", action: "sidebar", label: "keySidebar" },
    { keys: "mod+.", action: "settings", label: "keySettings" },
    { keys: "mod+Shift+C", action: "copyAnswer", label: "keyCopyAnswer" },
    { keys: "mod+/", action: "help", label: "keyHelp" },
];

const isApple = () => /Mac|iPhone|iPad/.test(navigator.platform);

/** A shortcut as it is printed on the keys. @param {string} keys
 * @returns {string[]} */
export function keyNames(keys) {
    const names = { mod: isApple() ? "⌘" : "Ctrl", Escape: "Esc", ArrowUp: "↑" };
    return keys.split("+").map((key) => names[/** @type {"mod"} */ (key)] ?? key);
}

/** @param {KeyboardEvent} event
 * @returns {Action | null} */
export function actionOf(event) {
    if (event.isComposing) return null;
    const mod = isApple() ? event.metaKey : event.ctrlKey;
    for (const { keys, action } of SHORTCUTS) {
        const parts = keys.split("+");
        const key = /** @type {string} */ (parts.at(-1));
        if (action && event.key.toLowerCase() === key.toLowerCase() && !event.altKey &&
            mod === parts.includes("mod") && event.shiftKey === parts.includes("Shift"))
            return action;
    }
    return null;
}
