/* Keys: the page's shortcuts, as a table that listener, help and settings share. `mod` is Ctrl, on
 * Apple's systems Command. The choices follow what most chat pages agree on; all that have an action
 * can be changed, and one switch turns them off. */

/** @typedef {"search" | "newChat" | "models" | "sidebar" | "settings" | "help" | "copyAnswer" |
 *   "copyCode" | "stop"} Action */
/** @typedef {import("./settings.js").Settings} Settings */

/** @type {{ keys: string[], action: Action | null, label: import("./i18n.js").StringKey }[]} */
export const SHORTCUTS = [
    { keys: ["Enter"], action: null, label: "keySend" },
    { keys: ["Shift+Enter"], action: null, label: "keyNewline" },
    { keys: ["ArrowUp"], action: null, label: "keyEditLast" },
    { keys: ["/"], action: null, label: "keySlash" },
    { keys: ["@"], action: null, label: "keyAt" },
    { keys: ["Escape"], action: "stop", label: "keyStop" },
    { keys: ["mod+K"], action: "search", label: "keySearch" },
    { keys: ["mod+Shift+O"], action: "newChat", label: "newChat" },
    { keys: ["mod+Shift+M"], action: "models", label: "keyModel" },
    { keys: ["mod+Shift+S", "mod+B"], action: "sidebar", label: "keySidebar" },
    { keys: ["mod+.", "mod+,"], action: "settings", label: "settings" },
    { keys: ["mod+Shift+C"], action: "copyAnswer", label: "keyCopyAnswer" },
    { keys: ["mod+Shift+;"], action: "copyCode", label: "keyCopyCode" },
    { keys: ["mod+/"], action: "help", label: "shortcuts" },
];

const isApple = () => /Mac|iPhone|iPad/.test(navigator.platform);

/** The keys of an action, as set or as they are at first.
 * @param {Pick<Settings, "shortcuts">} settings @param {typeof SHORTCUTS[number]} shortcut */
export function keysOf(settings, { action, keys }) {
    const chosen = action ? settings.shortcuts[action] : undefined;
    return chosen ? [chosen] : keys;
}

/** A shortcut as it is printed on the keys. @param {string} keys
 * @returns {string[]} */
export function keyNames(keys) {
    const names = { mod: isApple() ? "⌘" : "Ctrl", Escape: "Esc", ArrowUp: "↑" };
    return keys.split(/\+(?!$)/).map((key) => names[/** @type {"mod"} */ (key)] ?? key);
}

/** What is pressed, in the form that the table has; "" for a modifier alone.
 * @param {KeyboardEvent} event
 * @returns {string} */
export function pressedKeys(event) {
    if (["Control", "Shift", "Alt", "Meta"].includes(event.key)) return "";
    const mod = isApple() ? event.metaKey : event.ctrlKey;
    /* With Shift some layouts give another character; the key's own name is meant. */
    const named = event.code === "Semicolon" ? ";" : event.key;
    const key = named.length === 1 ? named.toUpperCase() : named;
    return [mod && "mod", event.altKey && "Alt", event.shiftKey && "Shift", key].filter(Boolean).join("+");
}

/** @param {KeyboardEvent} event @param {Pick<Settings, "shortcuts" | "shortcutsOn">} settings
 * @returns {Action | null} */
export function actionOf(event, settings) {
    if (event.isComposing || event.keyCode === 229) return null;
    const pressed = pressedKeys(event);
    const found = SHORTCUTS.find((one) => one.action && keysOf(settings, one).includes(pressed));
    if (!found || (!settings.shortcutsOn && found.action !== "stop")) return null;
    return found.action;
}
