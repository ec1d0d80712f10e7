/* Message tools: what can be done with a question or an answer; the rarer things are in a menu. */

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { copyText } from "../clipboard.js";
import { focusComposer } from "../focus.js";
import { IconButton } from "./icons.js";
import { Menu } from "./menu.js";

/** @param {Pick<import("./message.js").MessageProps, "page" | "sibling" | "siblings">} props */
export function Siblings({ page, sibling, siblings }) {
    if (siblings.length < 2) return null;
    const step = (/** @type {number} */ by) => () => page.open.choose(siblings[sibling + by]);
    const place = t("versionOf", { index: sibling + 1, count: siblings.length });
    return html`
        <span class="siblings" role="group" aria-label=${place}>
            <${IconButton} icon="previous" label=${t("previousVersion")} onClick=${step(-1)}
                disabled=${sibling === 0} />
            <span aria-hidden="true">${sibling + 1}/${siblings.length}</span>
            <${IconButton} icon="next" label=${t("nextVersion")} onClick=${step(1)}
                disabled=${sibling === siblings.length - 1} />
        </span>`;
}

/** @param {{ text: string, label: string }} props */
export function CopyButton({ text, label }) {
    const [isDone, setDone] = useState(false);
    const onClick = async () => {
        if (!(await copyText(text))) return;
        setDone(true);
        setTimeout(() => setDone(false), 1500);
    };
    return html`<${IconButton} icon=${isDone ? "check" : "copy"} label=${isDone ? t("copied") : label}
        onClick=${onClick} />`;
}

/** @param {import("./message.js").MessageProps & { onEdit?: () => void }} props */
export function MoreMenu({ page, message, isRunning, onEdit }) {
    const { open, models } = page;
    const isAnswer = message.role === "assistant";
    return html`<${Menu} label=${t("more")} items=${() => [
        isAnswer && models.chat.length > 1 && {
            label: t("answerWith"), icon: "models", act: () => page.ask("models", { answer: message }),
        },
        onEdit && { label: t("editAnswer"), icon: "edit", act: onEdit },
        { label: t("fork"), icon: "fork", disabled: open.isNew || isRunning,
          act: () => page.threads.fork(open.id, message.id) },
        null,
        { label: t("deleteMessage"), icon: "trash", isDanger: true, disabled: isRunning,
          act: () => { open.remove(message); focusComposer(); } },
    ]} />`;
}
