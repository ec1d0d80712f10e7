/* Settings: what belongs to this browser rather than to a conversation: theme, language, whether the
 * sidebar is open, the model last used, and the sampling that new chats begin with. Kept in
 * localStorage; a browser that refuses it gets the defaults each time. */

/**
 * @typedef {{
 *   theme: "system" | "light" | "dark", language: "" | "en" | "zh", sidebar: boolean,
 *   model: string, preset: "" | "creative" | "factual" | "classify"
 * }} Settings
 */

const KEY = "den.settings";

/** @type {Settings} */
const DEFAULTS = { theme: "system", language: "", sidebar: true, model: "", preset: "" };

/** @returns {Settings} */
export function loadSettings() {
    try {
        return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
    } catch {
        return { ...DEFAULTS };
    }
}

/** @param {Settings} settings */
export function saveSettings(settings) {
    try {
        localStorage.setItem(KEY, JSON.stringify(settings));
    } catch {
        /* refused or full: the settings hold until the page is closed */
    }
}

/** The attribute decides; without it theme.css follows the system.
 * @param {Settings["theme"]} theme */
export function applyTheme(theme) {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
}
