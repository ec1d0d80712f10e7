/* Main: puts the page together. Start reading here, then page.js (state), then components/app.js. */

import { render } from "preact";
import { App } from "./components/app.js";
import { fetchLazy } from "./components/lazy.js";
import { html } from "./html.js";
import { setLanguage, t } from "./i18n.js";
import { moveOldChats } from "./moving.js";
import { Page } from "./page.js";
import { applyLook, loadSettings } from "./settings.js";

const LAZY_MS = 800;

const settings = loadSettings();
applyLook(settings);
setLanguage(settings.language);

const page = new Page(settings, (changed) => {
    applyLook(changed);
    setLanguage(changed.language);
});
render(html`<${App} page=${page} />`, /** @type {Element} */ (document.getElementById("app")));
page.start();

setTimeout(fetchLazy, LAZY_MS);
moveOldChats().then((count) => count && page.tell(t("movedChats", { count })), () => {});
navigator.serviceWorker?.register("/sw.js").catch(() => {});
