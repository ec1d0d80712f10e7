/* Composer: where the next message is written, with its attachments, the task preset, how full the
 * context is, and the button that sends or stops. A draft belongs to its thread.
 *
 * `/` at the start lists commands and prompt templates, `@` models (composer_popup.js). A long paste
 * becomes an attachment. Files that are dropped or chosen become documents of this thread; where the
 * program keeps no documents, text files become attachments. */

import { useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { formatNumber, t } from "../i18n.js";
import { chooseFiles, droppedFiles, pasteAsAttachment, readFiles } from "../files.js";
import { ComposerPopup, popupItems } from "./composer_popup.js";
import { ContextMeter } from "./context_meter.js";
import { Icon, IconButton } from "./icons.js";
import { OnlyDocuments } from "./only_documents.js";
import { ThreadFiles } from "./thread_files.js";

/** @typedef {import("../page.js").Page} Page */

const HEIGHT_PX_MAX = 260;

/** @param {{ page: Page }} props */
export function Composer({ page }) {
    const { open, drafts } = page;
    const { id } = open;
    const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
    const [, redraw] = useReducer((/** @type {number} */ turns) => turns + 1, 0);
    const [chosen, setChosen] = useState(0);
    const [closed, setClosed] = useState(""); /* the draft for which the list was closed */
    const draft = drafts.get(id);
    const items = closed === draft.text ? [] : popupItems(page, draft.text);

    const change = (/** @type {Partial<import("../drafts.js").Draft>} */ changes) => {
        drafts.set(id, changes);
        setChosen(0);
        redraw(0);
    };
    useLayoutEffect(() => {
        if (!area.current) return;
        area.current.style.height = "auto";
        area.current.style.height = `${Math.min(area.current.scrollHeight, HEIGHT_PX_MAX)}px`;
    }, [draft.text, id]);
    useLayoutEffect(() => {
        if (matchMedia("(pointer: fine)").matches && !page.dialog) area.current?.focus();
    }, [id]);
    useDrops(page, (attachments) => change({ attachments: [...drafts.get(id).attachments, ...attachments] }));

    const isEmpty = !draft.text.trim() && !draft.attachments.length;
    const isAnswering = !!open.running;
    const send = () => {
        if (isEmpty || isAnswering || open.state !== "ready") return;
        open.send(draft.text.trim(), draft.attachments);
        change({ text: "", attachments: [] });
    };
    const use = (/** @type {number} */ index) => {
        change({ text: "" });
        items[index]?.act((text) => {
            change({ text });
            requestAnimationFrame(() => area.current?.focus());
        });
    };
    const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
        if (event.isComposing || event.keyCode === 229) return; /* Enter ends a Chinese word */
        if (items.length && steerList(event, { count: items.length, chosen, setChosen, use,
                                               close: () => setClosed(draft.text) })) return;
        const wantsMod = page.settings.sendKey === "mod";
        const mod = event.ctrlKey || event.metaKey;
        if (event.key === "Enter" && !event.shiftKey && (!wantsMod || mod)) {
            event.preventDefault();
            send();
        } else if (event.key === "ArrowUp" && isEmpty) {
            const edits = document.querySelectorAll(".question .edit:not(:disabled)");
            if (!edits.length) return;
            event.preventDefault();
            /** @type {HTMLElement} */ (edits[edits.length - 1]).click();
        }
    };
    const onPaste = (/** @type {ClipboardEvent} */ event) => {
        const files = [...(event.clipboardData?.files ?? [])];
        const name = t("pastedName", { number: draft.attachments.length + 1 });
        const pasted = pasteAsAttachment(event.clipboardData?.getData("text/plain") ?? "", name);
        if (!pasted && !files.length) return;
        event.preventDefault();
        if (pasted) change({ attachments: [...draft.attachments, pasted] });
        else addFiles(page, asFound(files), change, draft.attachments);
    };
    return html`
        <form class="composer" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); send(); }}>
            ${items.length > 0 && html`<${ComposerPopup} items=${items} chosen=${chosen} onUse=${use} />`}
            <div class="box">
                <${ThreadFiles} page=${page} />
                ${draft.attachments.length > 0 && html`<${Chips} attachments=${draft.attachments}
                    onChange=${change} text=${draft.text} />`}
                <textarea id="composer" rows="1" ref=${area} value=${draft.text} dir="auto"
                    aria-label=${t("message")} placeholder=${t("messagePlaceholder")}
                    aria-haspopup="listbox" aria-controls=${items.length ? "commands" : undefined}
                    aria-activedescendant=${items.length ? `command-${chosen}` : undefined}
                    enterkeyhint="send" onKeyDown=${onKeyDown} onPaste=${onPaste}
                    onInput=${(/** @type {any} */ event) => change({ text: event.target.value })} />
                <div class="tools">
                    <${IconButton} icon="attach" label=${t("attach")} onClick=${async () =>
                        addFiles(page, asFound(await chooseFiles()), change, drafts.get(id).attachments)} />
                    <${OnlyDocuments} page=${page} />
                    <${PresetPicker} page=${page} />
                    <${ContextMeter} page=${page} thread=${open} />
                    ${isAnswering
                        ? html`<button type="button" class="send stop" aria-label=${t("stop")}
                            title=${t("stop")} onClick=${() => open.stop()}><${Icon} name="stop" /></button>`
                        : html`<button type="submit" class="send" aria-label=${t("send")}
                            title=${t("send")} disabled=${isEmpty}><${Icon} name="send" /></button>`}
                </div>
            </div>
            <p class="hint">${t("hint")}</p>
        </form>`;
}

/** Keys of a list that belongs to a field; true: the key was for the list.
 * @param {KeyboardEvent} event
 * @param {{ count: number, chosen: number, setChosen(index: number): void, use(index: number): void,
 *   close(): void }} list */
export function steerList(event, { count, chosen, setChosen, use, close }) {
    if (event.key === "ArrowDown") setChosen((chosen + 1) % count);
    else if (event.key === "ArrowUp") setChosen((chosen + count - 1) % count);
    else if ((event.key === "Enter" && !event.shiftKey) || event.key === "Tab") use(chosen);
    else if (event.key === "Escape") close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
}

/** @param {File[]} files @returns {import("../files.js").Found[]} */
const asFound = (files) => files.map((file) => ({ path: file.name, file }));

/** @param {Page} page @param {import("../files.js").Found[]} found
 * @param {(changes: Partial<import("../drafts.js").Draft>) => void} change
 * @param {import("../types.js").Attachment[]} before */
async function addFiles(page, found, change, before) {
    if (page.workspaces.isOffered) return (await import("../views/uploads.js")).attachToThread(page, found);
    const { attachments, refused } = await readFiles(found.map(({ file }) => file));
    if (attachments.length) change({ attachments: [...before, ...attachments] });
    if (refused.length) page.tell(refused.map(({ name, why }) =>
        t(why === "large" ? "fileLarge" : "fileBinary", { name })).join(" "));
    return undefined;
}

/** Files dropped anywhere on a chat. @param {Page} page
 * @param {(attachments: import("../types.js").Attachment[]) => void} add */
function useDrops(page, add) {
    const adding = useRef(add);
    adding.current = add;
    useEffect(() => {
        const root = document.documentElement;
        const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
        const onDrag = (/** @type {DragEvent} */ event) => {
            if (!hasFiles(event)) return;
            event.preventDefault();
            root.classList.add("dropping");
        };
        const onLeave = (/** @type {DragEvent} */ event) =>
            event.relatedTarget === null && root.classList.remove("dropping");
        const onDrop = async (/** @type {DragEvent} */ event) => {
            if (!hasFiles(event)) return;
            event.preventDefault();
            root.classList.remove("dropping");
            addFiles(page, await droppedFiles(event.dataTransfer),
                     ({ attachments = [] }) => adding.current(attachments), []);
        };
        document.addEventListener("dragover", onDrag);
        document.addEventListener("dragleave", onLeave);
        document.addEventListener("drop", onDrop);
        return () => {
            document.removeEventListener("dragover", onDrag);
            document.removeEventListener("dragleave", onLeave);
            document.removeEventListener("drop", onDrop);
        };
    }, []);
}

/** @param {{ attachments: import("../types.js").Attachment[], text: string,
 *   onChange(changes: Partial<import("../drafts.js").Draft>): void }} props */
function Chips({ attachments, text, onChange }) {
    const without = (/** @type {number} */ index) => attachments.filter((_, at) => at !== index);
    return html`<ul class="chips" aria-label=${t("attachments")}>${attachments.map((one, index) => html`
        <li key=${index} class="chip"><${Icon} name="file" />
            <button type="button" class="chip-name" title=${t("asText")} onClick=${() =>
                onChange({ attachments: without(index), text: text ? `${text}\n${one.text}` : one.text })}>
                ${one.name}<small>${t("characters", { count: formatNumber(one.text.length) })}</small></button>
            <${IconButton} icon="close" label=${t("removeAttachment", { name: one.name })}
                onClick=${() => onChange({ attachments: without(index) })} /></li>`)}</ul>`;
}

/** @type {[string, import("../i18n.js").StringKey][]} */
export const PRESETS = [["", "presetDefault"], ["creative", "presetCreative"], ["factual", "presetFactual"],
                        ["classify", "presetClassify"]];

/** @param {{ page: Page }} props */
function PresetPicker({ page }) {
    const preset = page.open.data.parameters.preset ?? "";
    return html`
        <select class="preset" aria-label=${t("preset")} title=${t("preset")} value=${preset}
            onChange=${(/** @type {any} */ event) =>
                page.open.setParameters({ preset: event.target.value || null })}>
            ${PRESETS.map(([value, label]) => html`
                <option value=${value} selected=${value === preset}>${t(label)}</option>`)}
        </select>`;
}
