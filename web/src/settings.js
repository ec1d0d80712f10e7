/* Settings: how the reader likes the page. The program keeps them, so that they are the same in every
 * browser; a copy in localStorage spares a flash of the wrong theme at the start. Only whether the
 * sidebar is open belongs to this browser alone. */

/**
 * @typedef {{
 *   theme: "system" | "light" | "dark", language: "" | "en" | "zh", sidebar: boolean,
 *   text: "small" | "normal" | "large", model: string, preset: string, system: string,
 *   sendKey: "enter" | "mod", follow: boolean, shortcutsOn: boolean,
 *   shortcuts: Record<string, string>, memory: boolean
 * }} Settings
 */

const KEY = "den.settings";

/** @type {Settings} */
export const DEFAULTS = {
    theme: "system", language: "", sidebar: true, text: "normal", model: "", preset: "", system: "",
    sendKey: "enter", follow: true, shortcutsOn: true, shortcuts: {}, memory: false,
};

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

/** The attributes decide; without them theme.css follows the system.
 * @param {Settings} settings */
export function applyLook({ theme, text }) {
    const { dataset } = document.documentElement;
    if (theme === "system") delete dataset.theme;
    else dataset.theme = theme;
    dataset.text = text;
}
