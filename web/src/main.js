/* Main: puts the page together. Start reading here, then chat.js (state), then components/app.js. */

import { render } from "preact";
import { App } from "./components/app.js";
import { Chat } from "./chat.js";
import { html } from "./html.js";
import { setLanguage } from "./i18n.js";
import { applyTheme, loadSettings, saveSettings } from "./settings.js";
import { openStore } from "./store.js";

const settings = loadSettings();
applyTheme(settings.theme);
setLanguage(settings.language);

const chat = new Chat(await openStore(), settings, (changed) => {
    saveSettings(changed);
    applyTheme(changed.theme);
    setLanguage(changed.language);
});
render(html`<${App} chat=${chat} />`, /** @type {Element} */ (document.getElementById("app")));
await chat.start();
