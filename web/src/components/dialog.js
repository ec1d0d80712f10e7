/* Dialog: the frame of all dialogs. Native <dialog>: the browser keeps the focus inside, closes on Escape
 * and gives the focus back. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { IconButton } from "./icons.js";

/** @param {{ title: string, onClose(): void, class?: string, isBare?: boolean, isHeld?: boolean,
 *   children?: any }} props isHeld: neither Escape nor a click beside it closes it */
export function Dialog({ title, onClose, class: name = "", isBare = false, isHeld = false, children }) {
    const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
    useLayoutEffect(() => dialog.current?.showModal(), []);
    const isOutside = (/** @type {any} */ event) => event.target === dialog.current;
    return html`
        <dialog ref=${dialog} class=${name} aria-label=${title} onClose=${onClose}
            onCancel=${(/** @type {Event} */ event) => isHeld && event.preventDefault()}
            onPointerDown=${(/** @type {Event} */ event) => isOutside(event) && !isHeld && onClose()}>
            ${isBare ? children : html`<div class="dialog">
                <div class="panel-head">
                    <h2>${title}</h2>
                    <${IconButton} icon="close" label=${t("close")} onClick=${onClose} />
                </div>
                ${children}
            </div>`}
        </dialog>`;
}

/** The question for the API token; not among the dialogs that are fetched when wanted, because without
 * it nothing is. @param {{ page: import("../page.js").Page }} props */
export function TokenDialog({ page }) {
    const field = useRef(/** @type {HTMLInputElement | null} */ (null));
    const close = () => {
        page.needsToken = false;
        page.changed();
    };
    const [isWrong, setWrong] = useState(false);
    const submit = async (/** @type {Event} */ event) => {
        event.preventDefault();
        const value = field.current?.value.trim();
        if (value && !(await page.login(value))) setWrong(true);
    };
    return html`
        <${Dialog} title=${t("tokenTitle")} onClose=${close}>
            <form onSubmit=${submit}>
                <p id="token-help">${t("tokenHelp")}</p>
                <label class="stacked"><span>${t("token")}</span>
                    <input type="password" autocomplete="off" autofocus ref=${field}
                        aria-describedby="token-help" required /></label>
                ${isWrong && html`<p class="problem" role="alert">${t("tokenWrong")}</p>`}
                <div class="editor-actions">
                    <button type="submit" class="button primary">${t("tokenUse")}</button>
                </div>
            </form>
        <//>`;
}
