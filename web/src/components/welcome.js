/* Welcome: what an empty page says: that it is ready and what could be asked, or what is missing. */

import { html } from "../html.js";
import { formatNumber, t } from "../i18n.js";
import { focusComposer } from "../focus.js";
import { Mark } from "./icons.js";

/** @type {import("../i18n.js").StringKey[]} */
const SUGGESTIONS = ["suggestion1", "suggestion2", "suggestion3", "suggestion4"];

/** @param {{ page: import("../page.js").Page }} props */
export function Welcome({ page }) {
    const { model, models } = page;
    if (models.isLoaded && !model && page.isOnline)
        return html`<div class="scroller"><section class="welcome">
            <${Mark} /><h2>${t("noModelTitle")}</h2><p>${t("noModelText")}</p>
            <button type="button" class="button primary" onClick=${() => page.go("models")}>${t("chooseModel")}</button>
        </section></div>`;
    return html`
        <div class="scroller">
            <section class="welcome">
                <${Mark} />
                <h2>${t("welcome")}</h2>
                <p>${t("welcomeText")}</p>
                <ul class="suggestions">
                    ${SUGGESTIONS.map((key) => html`
                        <li key=${key}><button type="button" disabled=${!model}
                            onClick=${() => { page.open.send(t(key)); focusComposer(); }}>${t(key)}</button>
                        </li>`)}
                </ul>
                <p class="fact">${model ? t("modelFact", {
                    model: model.title || model.name, tokens: formatNumber(model.context_tokens),
                }) : "\u00a0"}</p>
            </section>
        </div>`;
}

/** While a thread is fetched, or when it can't be. @param {{ page: import("../page.js").Page }} props */
export function NotThere({ page }) {
    const { state, failure } = page.open;
    if (state === "loading") return html`<div class="scroller" aria-busy="true"></div>`;
    const isMissing = state === "missing";
    return html`<div class="scroller"><section class="welcome">
        <${Mark} /><h2>${t(isMissing ? "missingTitle" : "failedTitle")}</h2>
        <p>${isMissing ? t("missingText") : failure?.kind === "offline" ? t("offlineTitle") : failure?.detail}</p>
        <button type="button" class="button primary" onClick=${() =>
            (isMissing ? page.newChat() : page.open.load())}>${t(isMissing ? "newChat" : "tryAgain")}</button>
    </section></div>`;
}
