/* Dialogs: the shortcuts, and the question for the API token. Native <dialog>: the browser keeps the
 * focus inside, closes on Escape and gives the focus back. */

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { keyNames, SHORTCUTS } from "../keys.js";
import { IconButton } from "./icons.js";

/** @param {{ title: string, onClose(): void, children?: any }} props */
function Dialog({ title, onClose, children }) {
    const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
    useEffect(() => dialog.current?.showModal(), []);
    return html`
        <dialog ref=${dialog} aria-labelledby="dialog-title" onClose=${onClose}
            onClick=${(/** @type {any} */ event) => event.target === dialog.current && onClose()}>
            <div class="dialog">
                <div class="panel-head">
                    <h2 id="dialog-title">${title}</h2>
                    <${IconButton} icon="close" label=${t("close")} onClick=${onClose} />
                </div>
                ${children}
            </div>
        </dialog>`;
}

/** @param {{ onClose(): void }} props */
export function HelpDialog({ onClose }) {
    return html`
        <${Dialog} title=${t("shortcuts")} onClose=${onClose}>
            <dl class="shortcuts">${SHORTCUTS.map(({ keys, label }) => html`
                <div key=${keys}><dt>${t(label)}</dt>
                    <dd>${keyNames(keys).map((name) => html`<kbd>${name}</kbd>`)}</dd></div>`)}
            </dl>
        <//>`;
}

/** @param {{ chat: import("../chat.js").Chat }} props */
export function TokenDialog({ chat }) {
    const [value, setValue] = useState("");
    const close = () => {
        chat.needsToken = false;
        chat.changed();
    };
    const submit = (/** @type {Event} */ event) => {
        event.preventDefault();
        chat.setToken(value.trim());
    };
    return html`
        <${Dialog} title=${t("tokenTitle")} onClose=${close}>
            <form onSubmit=${submit}>
                <p id="token-help">${t("tokenHelp")}</p>
                <label class="field"><span>${t("token")}</span>
                    <input type="password" autocomplete="off" autofocus value=${value}
                        aria-describedby="token-help"
                        onInput=${(/** @type {any} */ event) => setValue(event.target.value)} /></label>
                <div class="editor-actions">
                    <button type="submit" class="button primary" disabled=${!value.trim()}>
                        ${t("tokenUse")}</button>
                </div>
            </form>
        <//>`;
}
