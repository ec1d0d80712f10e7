/* Banner: what concerns the whole page rather than one answer: the program does not answer; a chat or a
 * report was deleted and may come back; something small failed. Messages that go again lie over the page,
 * so that nothing moves under the reader's hand. */

import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { Icon, IconButton } from "./icons.js";

/** @typedef {import("../page.js").Page} Page */

const SHOWN_MS = 10000;

/** @param {{ page: Page }} props */
export function Banner({ page }) {
    return html`<div class="banners">${page.isOnline === false && html`<${Offline} page=${page} />`}</div>`;
}

/** @param {{ page: Page }} props */
export function Toasts({ page }) {
    const { parting, threads: { deleted } } = page;
    const { leaving } = parting;
    return html`<div class="toasts" role="status">
        ${deleted && html`<${Toast} key=${deleted.id} text=${t("deleted", { title: deleted.title || t("newChat") })}
            onEnd=${() => page.threads.forgetRemoved()}>
            <button type="button" class="button" onClick=${() => page.threads.undoRemove()}>${t("undo")}</button>
        <//>`}
        ${leaving && html`<${Toast} key=${leaving.id} text=${t("deleted", { title: leaving.title })}
            onEnd=${() => parting.leaving === leaving && parting.end()}>
            <button type="button" class="button" onClick=${() => parting.undo()}>${t("undo")}</button>
        <//>`}
        ${page.notice && html`<${Toast} key=${page.notice} text=${page.notice} onEnd=${() => page.tell("")} />`}
    </div>`;
}

/** @param {{ text: string, onEnd(): void, children?: any }} props */
function Toast({ text, onEnd, children }) {
    useEffect(() => {
        const timer = setTimeout(onEnd, SHOWN_MS);
        return () => clearTimeout(timer);
    }, []);
    return html`<div class="toast"><p>${text}</p>${children}
        <${IconButton} icon="close" label=${t("close")} onClick=${onEnd} /></div>`;
}

/** @param {{ page: Page }} props */
function Offline({ page }) {
    const [isTrying, setTrying] = useState(false);
    const retry = async () => {
        setTrying(true);
        await page.reconnect();
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
