/* Backup settings: everything but the models as one file, and back again. The file is fetched by the
 * browser itself, which writes it to the disk as it comes, however large it is. */

import { html } from "../html.js";
import { t } from "../later_words.js";
import { chooseFiles } from "../files.js";
import { Icon } from "../components/icons.js";

/** @param {{ page: import("../page.js").Page }} props */
export function BackupSettings({ page }) {
    const restore = async () => {
        const [file] = await chooseFiles(".den-backup");
        if (file) page.ask("restore", { file });
    };
    return html`<p class="note">${t("backupHelp")}</p>
        <div class="buttons">
            <a class="button" href="/api/backup" download onClick=${() => page.tell(t("fileComes"))}><${Icon} name="download" />${t("backUp")}</a>
            <button type="button" class="button" onClick=${restore}>${t("restoreFrom")}</button></div>`;
}
