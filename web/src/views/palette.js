/* Palette: the box behind Ctrl+K. It searches all that was ever said, the names of documents and what is
 * in them (the program does), and runs commands. The same box chooses the model. */

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { call } from "../api.js";
import { formatBytes, formatDate, formatNumber } from "../i18n.js";
import { t } from "../later_words.js";
import { commandsNow, fits } from "../commands.js";
import { sourceName } from "../components/citations.js";
import { steerList } from "../components/composer.js";
import { Dialog } from "../components/dialog.js";
import { Icon } from "../components/icons.js";
import { openDocument } from "./document_row.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {{ key: string, icon: import("../components/icons.js").IconName, name: any, more?: any,
 *   side?: string, isOn?: boolean, act(): void }} Choice */

const SEARCH_MS = 120;
const RECENT_MAX = 6;
const PASSAGES_MS = 250; /* the question is embedded for it */
const DOCUMENTS_MAX = 6;
const PASSAGES_MAX = 5;
const CHATS_MAX = 8; /* where documents are found too */

/** @param {{ page: Page }} props */
export function SearchPalette({ page }) {
    const [typed, setTyped] = useState("");
    const [found, setFound] = useState({ query: "", hits: /** @type {import("../types.js").Hit[]} */ ([]) });
    const query = typed.trim();
    useEffect(() => {
        if (!query || query.startsWith(">")) return undefined;
        const timer = setTimeout(async () => {
            const reply = await page.attempt(() => call("GET", `/api/threads?limit=30&q=${encodeURIComponent(query)}`));
            if (reply) setFound({ query, hits: reply.hits ?? [] });
        }, SEARCH_MS);
        return () => clearTimeout(timer);
    }, [query]);
    const documents = useFound(page, query);
    const command = query.replace(/^>\s*/, "");
    const commands = commandsNow(page)
        .filter(({ name, label }) => fits(`${name} ${t(label)}`, command))
        .slice(0, query && !query.startsWith(">") ? 4 : 20)
        .map(({ name, label, icon, act }) => ({ key: `c${name}`, icon, name: t(label), act: () => act(page) }));
    const recent = [...page.threads.items.values()].sort((a, b) => b.updated - a.updated).slice(0, RECENT_MAX)
        .map((one) => ({ key: one.id, icon: /** @type {const} */ ("edit"), name: one.title || t("newChat"),
                         side: formatDate(one.updated), act: () => page.show(one.id) }));
    const isSearch = query !== "" && !query.startsWith(">");
    const others = isSearch ? documents : NOTHING;
    const hits = (isSearch ? withoutEchoes(found.hits) : []).map((hit, index) => hitChoice(page, hit, index))
        .slice(0, others.documents.length + others.passages.length ? CHATS_MAX : undefined);
    const isLooked = others.query === query || !page.workspaces.isOffered || query.length < 2;
    const isEmpty = isSearch && found.query === query && isLooked && !hits.length && !others.documents.length && !others.passages.length;
    return html`<${Palette} page=${page} label=${t("keySearch")} placeholder=${t("searchPlaceholder")}
        typed=${typed} onType=${setTyped} nothing=${isEmpty ? t("nothingFound") : ""}
        groups=${[
            { label: t("recent"), choices: query ? [] : recent },
            { label: t("chats"), choices: hits },
            { label: t("documents"), choices: others.documents.map((one) => ({
                key: `d${one.id}`, icon: /** @type {const} */ ("file"), name: one.title || one.name, side: one.format,
                more: one.title ? one.name : "", act: () => openDocument(page, one) })) },
            { label: t("passages"), choices: others.passages.map((one, index) => ({
                key: `p${index}`, icon: /** @type {const} */ ("quote"), name: sourceName(one),
                more: one.text, act: () => page.showSource(others.passages, index) })) },
            { label: t("commands"), choices: commands },
        ]} />`;
}

/** @type {{ query: string, documents: import("../types.js").Document[], passages: import("../types.js").Passage[] }} */
const NOTHING = { query: "", documents: [], passages: [] };

/** Documents by name and passages by meaning; without either route, nothing.
 * @param {Page} page @param {string} query */
function useFound(page, query) {
    const [found, setFound] = useState(NOTHING);
    const { id, isOffered } = page.workspaces;
    useEffect(() => {
        if (!isOffered || query.length < 2 || query.startsWith(">")) return void setFound(NOTHING);
        let isWanted = true;
        const timer = setTimeout(async () => {
            const inWorkspace = id ? `&workspace=${encodeURIComponent(id)}` : "";
            const [names, hits] = await Promise.all([
                call("GET", `/api/documents?limit=${DOCUMENTS_MAX}&q=${encodeURIComponent(query)}${inWorkspace}`).catch(() => null),
                call("POST", "/api/search", { query, count: PASSAGES_MAX, ...(id && { workspace: id }) }).catch(() => null),
            ]);
            if (isWanted) setFound({ query, documents: names?.documents ?? [], passages: hits?.hits ?? [] });
        }, PASSAGES_MS);
        return () => {
            isWanted = false;
            clearTimeout(timer);
        };
    }, [query, id, isOffered]);
    return found;
}

/** A chat without a name is called by its first question: found in both, it is listed once, as the message.
 * @param {import("../types.js").Hit[]} hits */
function withoutEchoes(hits) {
    const textOf = (/** @type {import("../types.js").Hit} */ hit) => hit.snippet.map(([text]) => text).join("");
    const messages = new Set(hits.filter((hit) => hit.message).map((hit) => `${hit.thread} ${textOf(hit)}`));
    return hits.filter((hit) => hit.message || !messages.has(`${hit.thread} ${textOf(hit)}`));
}

/** @param {Page} page @param {import("../types.js").Hit} hit @param {number} index
 * @returns {Choice} */
function hitChoice(page, hit, index) {
    return {
        key: `h${index}`, icon: "search", name: hit.title || t("newChat"), side: formatDate(hit.created),
        more: hit.snippet.map(([text, isMarked]) => (isMarked ? html`<mark>${text}</mark>` : text)),
        act: () => page.show(hit.thread, hit.message),
    };
}

/** @param {{ page: Page, answer?: import("../types.js").Message }} props */
export function ModelPalette({ page, answer }) {
    const [typed, setTyped] = useState("");
    const choices = page.models.chat.filter(({ name, title }) => fits(`${name} ${title}`, typed)).map((model) => ({
        key: model.name, icon: /** @type {const} */ ("models"), name: model.title || model.name,
        isOn: model.name === page.model?.name,
        more: [model.context_tokens && t("contextOf", { tokens: formatNumber(model.context_tokens) }),
               model.bytes && formatBytes(model.bytes),
               model.fit?.tokens_per_s && t("speed", { speed: formatNumber(model.fit.tokens_per_s) })]
            .filter(Boolean).join(" · "),
        act: () => void (answer ? page.open.regenerate(answer, model.name) : page.setModel(model.name)),
    }));
    return html`<${Palette} page=${page} label=${t("keyModel")} placeholder=${t("modelPlaceholder")}
        typed=${typed} onType=${setTyped} nothing=${choices.length ? "" : t("noModel")}
        groups=${[
            { label: t("model"), choices },
            { label: "", choices: answer ? [] : [{ key: "manage", icon: /** @type {const} */ ("settings"),
                                                  name: t("manageModels"), act: () => page.go("models") }] },
        ]} />`;
}

/** @param {{ page: Page, label: string, placeholder: string, typed: string, nothing: string,
 *   onType(text: string): void, groups: { label: string, choices: Choice[] }[] }} props */
function Palette({ page, label, placeholder, typed, nothing, onType, groups }) {
    const [chosen, setChosen] = useState(0);
    const field = useRef(/** @type {HTMLInputElement | null} */ (null));
    const all = groups.flatMap(({ choices }) => choices);
    const at = Math.min(chosen, Math.max(0, all.length - 1));
    const close = () => page.closeDialog();
    const use = (/** @type {number} */ index) => {
        close();
        all[index]?.act();
    };
    useEffect(() => document.getElementById(`choice-${at}`)?.scrollIntoView({ block: "nearest" }), [at]);
    let index = -1;
    return html`
        <${Dialog} title=${label} class="palette" isBare onClose=${close}>
            <div class="palette-field"><${Icon} name="search" />
                <input ref=${field} autofocus role="combobox" aria-expanded="true" aria-controls="choices"
                    aria-autocomplete="list" aria-label=${label} placeholder=${placeholder} value=${typed}
                    aria-activedescendant=${all.length ? `choice-${at}` : undefined}
                    onInput=${(/** @type {any} */ event) => { setChosen(0); onType(event.target.value); }}
                    onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.isComposing || event.key === "Tab" ||
                        steerList(event, { count: Math.max(1, all.length), chosen: at, setChosen, use, close })} /></div>
            <div class="palette-list" id="choices" role="listbox" tabindex="0" aria-label=${label}>
                ${groups.map(({ label: name, choices }) => choices.length > 0 && html`
                    <div role="group" aria-label=${name} key=${name}>
                        ${name && html`<h3 role="presentation">${name}</h3>`}
                        ${choices.map((choice) => {
                            index++;
                            return html`<${Row} key=${choice.key} choice=${choice} index=${index}
                                isChosen=${index === at} onUse=${use} />`;
                        })}
                    </div>`)}
            </div>
            ${nothing && html`<p class="nothing" role="status">${nothing}</p>`}
        <//>`;
}

/** @param {{ choice: Choice, index: number, isChosen: boolean, onUse(index: number): void }} props */
function Row({ choice, index, isChosen, onUse }) {
    return html`<div class="choice-row" role="option" id="choice-${index}" aria-selected=${isChosen}
        onClick=${() => onUse(index)}>
        <${Icon} name=${choice.isOn ? "check" : choice.icon} />
        <span class="choice-text"><span class="choice-name">${choice.name}</span>
            ${choice.more && html`<small>${choice.more}</small>`}</span>
        ${choice.side && html`<small class="side">${choice.side}</small>`}</div>`;
}
