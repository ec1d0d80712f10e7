/* Shortcut settings: each shortcut with a button that waits for the new keys. What another action has
 * already is refused, and so are plain letters, which belong to the text. */

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../later_words.js";
import { keyNames, keysOf, pressedKeys, SHORTCUTS } from "../keys.js";
import { IconButton } from "../components/icons.js";

/** @typedef {import("../page.js").Page} Page */

/** @param {{ page: Page }} props */
export function ShortcutSettings({ page }) {
    const [waiting, setWaiting] = useState("");
    const [problem, setProblem] = useState("");
    const { settings } = page;
    const set = (/** @type {string} */ action, /** @type {string | null} */ keys) => {
        const { [action]: _, ...others } = settings.shortcuts;
        page.setSettings({ shortcuts: keys ? { ...others, [action]: keys } : others });
        setWaiting("");
        setProblem("");
    };
    const onKeyDown = (/** @type {string} */ action) => (/** @type {KeyboardEvent} */ event) => {
        if (waiting !== action) return;
        const keys = pressedKeys(event);
        if (!keys || keys === "Tab") return;
        event.preventDefault();
        event.stopPropagation();
        if (keys === "Escape") return void setWaiting("");
        const other = SHORTCUTS.find((one) => one.action && one.action !== action && keysOf(settings, one).includes(keys));
        if (other) setProblem(t("keysTaken", { name: t(other.label) }));
        else if (!/mod|Alt|^F\d/.test(keys)) setProblem(t("keysPlain"));
        else set(action, keys);
    };
    return html`<ul class="rows">${SHORTCUTS.filter(({ action }) => action && action !== "stop").map((shortcut) => {
        const action = shortcut.action ?? "";
        const isWaiting = waiting === action;
        return html`<li class="row" key=${action}><span class="row-text">${t(shortcut.label)}
                ${isWaiting && problem && html`<small class="problem" role="alert">${problem}</small>`}</span>
            <button type="button" class="keys ${isWaiting ? "waiting" : ""}" aria-pressed=${isWaiting}
                aria-label=${t("changeKeys", { name: t(shortcut.label), keys: keysOf(settings, shortcut).map((keys) => keyNames(keys).join("+")).join(", ") })}
                onBlur=${() => isWaiting && setWaiting("")} onKeyDown=${onKeyDown(action)}
                onClick=${() => { setWaiting(action); setProblem(""); }}>
                ${isWaiting ? t("pressKeys") : keysOf(settings, shortcut).map((keys, index) => html`
                    ${index > 0 && html`<span>${t("or")}</span>`}
                    ${keyNames(keys).map((name) => html`<kbd>${name}</kbd>`)}`)}</button>
            <${IconButton} icon="redo" label=${`${t("resetOne")}: ${t(shortcut.label)}`}
                disabled=${!settings.shortcuts[action]} onClick=${() => set(action, null)} /></li>`;
    })}</ul>`;
}
