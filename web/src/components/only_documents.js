/* Only documents: the switch beside the composer. On: an answer that the documents do not hold is not
 * given from the model's own knowledge. It belongs to the workspace. */

import { html } from "../html.js";
import { t } from "../i18n.js";
import { Icon } from "./icons.js";

/** @param {{ page: import("../page.js").Page }} props */
export function OnlyDocuments({ page }) {
    const { current } = page.workspaces;
    if (!current) return null;
    const isOn = !!current.retrieval?.only_documents;
    return html`<button type="button" class="only-documents" role="switch" aria-checked=${isOn}
        title=${t("onlyDocumentsHelp")}
        onClick=${() => page.workspaces.setRetrieval({ only_documents: !isOn })}>
        <${Icon} name=${isOn ? "check" : "file"} /><span>${t("onlyDocuments")}</span></button>`;
}
