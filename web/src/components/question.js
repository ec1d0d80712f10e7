/* Question: what the reader wrote, with its attachments; editing makes another wording beside it. */

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { formatNumber, t } from "../i18n.js";
import { focusComposer } from "../focus.js";
import { IconButton, Icon } from "./icons.js";
import { CopyButton, MoreMenu, Siblings } from "./message_tools.js";

/** @param {import("./message.js").MessageProps} props */
export function Question(props) {
    const { page, message, isAnswering } = props;
    const [isEditing, setEditing] = useState(false);
    const stopEditing = () => {
        setEditing(false);
        focusComposer();
    };
    if (isEditing)
        return html`<${Editor} text=${message.content} action=${t("send")} onCancel=${stopEditing}
            onSave=${(/** @type {string} */ text) => { stopEditing(); page.open.edit(message, text); }} />`;
    return html`
        ${(message.attachments ?? []).map((one) => html`<${Attached} attachment=${one} />`)}
        ${message.content && html`
            <div class="bubble" dir="auto" tabindex=${message.content.length > 800 ? 0 : undefined}>${message.content}</div>`}
        <div class="actions">
            <${Siblings} ...${props} />
            <${IconButton} icon="edit" class="edit" label=${t("edit")} disabled=${isAnswering}
                onClick=${() => setEditing(true)} />
            <${CopyButton} text=${message.content} label=${t("copy")} />
            <${MoreMenu} ...${props} />
        </div>`;
}

/** @param {{ attachment: import("../types.js").Attachment }} props */
function Attached({ attachment: { name, text } }) {
    return html`<details class="attached"><summary><${Icon} name="file" /><span>${name}</span>
        <small>${t("characters", { count: formatNumber(text.length) })}</small></summary>
        <pre tabindex="0">${text}</pre></details>`;
}

/** @param {{ text: string, action: string, onSave(text: string): void, onCancel(): void }} props */
export function Editor({ text, action, onSave, onCancel }) {
    const [draft, setDraft] = useState(text);
    const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
        if (event.key === "Escape") onCancel();
        else if (event.key === "Enter" && !event.shiftKey && !event.isComposing && draft.trim()) onSave(draft);
        else return;
        event.preventDefault();
        event.stopPropagation();
    };
    return html`
        <div class="editing">
            <textarea class="editor" aria-label=${t("edit")} value=${draft} ref=${focusAtEnd} dir="auto"
                rows=${Math.min(14, draft.split("\n").length + 1)} onKeyDown=${onKeyDown}
                onInput=${(/** @type {any} */ event) => setDraft(event.target.value)} />
            <div class="editor-actions">
                <button type="button" class="button" onClick=${onCancel}>${t("cancel")}</button>
                <button type="button" class="button primary" disabled=${!draft.trim()}
                    onClick=${() => onSave(draft)}>${action}</button>
            </div>
        </div>`;
}

/** @param {HTMLTextAreaElement | null} area */
function focusAtEnd(area) {
    if (!area || area.dataset.seen) return;
    area.dataset.seen = "yes";
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
}
