/* Banner: what concerns the whole page rather than one answer: the server does not answer; this
 * browser keeps nothing; a chat was deleted and may come back. */

import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { Icon } from "./icons.js";

const UNDO_MS = 10000;

/** @param {{ chat: import("../chat.js").Chat }} props */
export function Banner({ chat }) {
    return html`
        <div class="banners">
            ${!chat.isOnline && html`<${Offline} chat=${chat} />`}
            ${!chat.store.isLasting && html`<p class="banner" role="status">${t("notLasting")}</p>`}
            ${chat.deleted && html`<${Undo} chat=${chat} key=${chat.deleted.id} />`}
        </div>`;
}

/** @param {{ chat: import("../chat.js").Chat }} props */
function Offline({ chat }) {
    const [isTrying, setTrying] = useState(false);
    const retry = async () => {
        setTrying(true);
        await chat.reconnect();
        setTrying(false);
    };
    return html`
        <div class="banner warning" role="alert">
            <${Icon} name="warning" />
            <p><strong>${t("offlineTitle")}</strong> ${t("offlineRemedy")} <code>den serve</code></p>
            <button type="button" class="button" onClick=${retry} disabled=${isTrying}>
                ${t("tryAgain")}</button>
        </div>`;
}

/** @param {{ chat: import("../chat.js").Chat }} props */
function Undo({ chat }) {
    useEffect(() => {
        const timer = setTimeout(() => chat.forgetRemoved(), UNDO_MS);
        return () => clearTimeout(timer);
    }, []);
    return html`
        <div class="banner" role="status">
            <p>${t("deleted", { title: chat.deleted?.title ?? "" })}</p>
            <button type="button" class="button" onClick=${() => chat.undoRemove()}>${t("undo")}</button>
        </div>`;
}
