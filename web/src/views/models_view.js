/* Models view: what is installed, what could be, whether it will fit, and what is being fetched. Whether
 * it fits is always the program's own estimate: one formula, the same everywhere. */

import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { call } from "../api.js";
import { formatBytes, formatNumber } from "../i18n.js";
import { t } from "../later_words.js";
import { Icon } from "../components/icons.js";
import { Menu } from "../components/menu.js";
import { Downloads } from "./downloads.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../types.js").Model} Model */

const FIT_MS = 500;

/** @param {{ page: Page }} props */
export function ModelsView({ page }) {
    const { models } = page;
    const [wanted, setWanted] = useState("");
    useEffect(() => {
        models.load();
        call("GET", "/api/downloads").then((reply) => {
            page.downloads = reply?.downloads ?? [];
            page.changed();
        }, () => {}); /* the stream tells of them too */
    }, []);
    const shown = (/** @type {Model} */ one) =>
        `${one.name} ${one.title} ${one.role} ${one.license}`.toLowerCase().includes(wanted.toLowerCase());
    const installed = models.all.filter((one) => one.installed && shown(one));
    const others = models.all.filter((one) => !one.installed && shown(one));
    return html`
        <div class="scroller"><div class="view">
            ${models.memory && html`<${Memory} models=${models.all} memory=${models.memory} />`}
            ${models.isManaged && html`<${Add} page=${page} />`}
            <${Downloads} page=${page} />
            ${models.all.length > 6 && html`<input type="search" class="filter" value=${wanted}
                aria-label=${t("filterModels")} placeholder=${t("filterModels")}
                onInput=${(/** @type {any} */ event) => setWanted(event.target.value)} />`}
            <${Group} page=${page} label=${t("installed")} models=${installed}
                empty=${models.isLoaded && !wanted && html`<p class="nothing">${t("noneInstalled")}</p>`} />
            <${Group} page=${page} label=${t("available")} models=${others} />
        </div></div>`;
}

/** @param {{ models: Model[], memory: { total_bytes: number, free_bytes: number, budget_bytes: number } }} props */
function Memory({ models, memory }) {
    const used = models.reduce((sum, one) => sum + (one.memory_bytes || 0), 0);
    const words = t("memoryFact", {
        used: formatBytes(used), free: formatBytes(memory.free_bytes), total: formatBytes(memory.total_bytes),
    });
    return html`<div class="memory"><meter aria-label=${words} min="0" max=${memory.total_bytes}
        value=${memory.total_bytes - memory.free_bytes} high=${memory.total_bytes * 0.9} optimum="0" />
        <p>${words}</p></div>`;
}

/** @param {{ page: Page, label: string, models: Model[], empty?: any }} props */
function Group({ page, label, models, empty }) {
    if (!models.length) return empty || null;
    return html`<section><h2>${label}</h2>
        <ul class="cards">${models.map((model) => html`<${Card} key=${model.name} page=${page} model=${model} />`)}</ul>
    </section>`;
}

/** @param {import("../types.js").Fit | null | undefined} fit */
export function fitWords(fit) {
    if (!fit) return "";
    const parts = [t(fit.verdict === "fits" ? "fits" : fit.verdict === "tight" ? "fitsTightly" : "tooLarge")];
    if (fit.memory_bytes) parts.push(t("memoryOf", { bytes: formatBytes(fit.memory_bytes) }));
    if (fit.context_tokens) parts.push(t("contextOf", { tokens: formatNumber(fit.context_tokens) }));
    if (fit.tokens_per_s) parts.push(t("aboutSpeed", { speed: formatNumber(fit.tokens_per_s, fit.tokens_per_s < 10 ? 1 : 0) }));
    return parts.join(" · ");
}

/** @param {{ fit: import("../types.js").Fit | null | undefined }} props */
function FitLine({ fit }) {
    if (!fit) return null;
    const kind = { fits: "good", tight: "fair" }[fit.verdict] ?? "poor";
    return html`<p class="fit ${kind}"><span class="dot" />${fitWords(fit)}
        ${fit.why && (kind !== "good" || fit.guess) && html`<small>${fit.why}</small>`}</p>`;
}

/** @type {Record<string, import("../i18n.js").StringKey>} */
const STATES = { asleep: "stateAsleep", loading: "stateLoading", ready: "stateReady", failed: "stateFailed" };
/** @type {Record<string, import("../i18n.js").StringKey>} */
const ROLES = { chat: "roleChat", embedding: "roleEmbedding", reranker: "roleReranker", speech: "roleSpeech" };

/** @param {{ page: Page, model: Model }} props */
function Card({ page, model }) {
    const { name, title, role, license, parameters, bytes, installed, state } = model;
    const facts = [ROLES[role] && t(ROLES[role]), parameters && t("parametersOf", { count: parameters < 1e9
                       ? `${formatNumber(parameters / 1e6)} M` : `${formatNumber(parameters / 1e9, 1)} B` }),
                   bytes && formatBytes(bytes), license];
    const act = (/** @type {string} */ what) => () =>
        page.attempt(() => call("POST", `/api/models/${encodeURIComponent(name)}/${what}`, {})).then(() => page.models.load());
    const isGetting = page.downloads.some((one) =>
        one.name === name && ["waiting", "running", "paused"].includes(one.state));
    return html`<li class="card">
        <div class="card-text">
            <h3>${title || name} ${model.default && html`<span class="badge">${t("isDefault")}</span>`}
                ${installed && STATES[state] && html`<span class="badge state-${state}">${t(STATES[state])}</span>`}</h3>
            <p class="facts">${facts.filter(Boolean).join(" · ")}${title && title !== name && html` <code>${name}</code>`}</p>
            <${FitLine} fit=${model.fit} />
        </div>
        <div class="card-actions">
            ${!installed && model.downloadable === false && html`<p class="note">${t("needsPip")}</p>`}
            ${!installed && model.downloadable !== false && html`<button type="button" class="button" disabled=${isGetting} aria-label=${`${t("download")}: ${title || name}`}
                onClick=${() => startDownload(page, name)}><${Icon} name="download" />${t("download")}</button>`}
            ${installed && role === "chat" && html`<button type="button" class="button" aria-label=${t("chatWith", { name: title || name })}
                onClick=${() => { page.newChat(); page.setModel(name); }}>${t("chat")}</button>`}
            ${installed && page.models.isManaged && html`<${Menu} label=${t("modelMenu", { name: title || name })} items=${() => [
                !model.default && { label: t("makeDefault"), icon: "check", act: () => page.attempt(() =>
                    call("PATCH", "/api/roles", { [role]: name })).then(() => page.models.load()) },
                state === "ready" ? { label: t("unload"), icon: "pause", act: act("unload") }
                    : { label: t("load"), icon: "play", act: act("load") },
                null,
                { label: t("removeModel"), icon: "trash", isDanger: true, act: () => confirmRemoval(page, model) },
            ]} />`}
        </div>
    </li>`;
}

/** @param {Page} page @param {Model} model */
function confirmRemoval(page, model) {
    page.ask("confirm", {
        title: t("removeModel"), action: t("delete"),
        text: t("removeModelText", { name: model.title || model.name, bytes: formatBytes(model.bytes) }),
        act: () => page.attempt(() => call("DELETE", `/api/models/${encodeURIComponent(model.name)}`))
            .then(() => page.models.load()),
    });
}

/** @param {Page} page @param {string} source */
export async function startDownload(page, source) {
    const started = await page.attempt(() => call("POST", "/api/downloads", { source }));
    if (!started) return false;
    page.downloads = [...page.downloads.filter(({ id }) => id !== started.id), started];
    page.changed();
    return true;
}

/** By name, hf: or URL with the fit shown before anything is fetched; or a file already on the disk.
 * @param {{ page: Page }} props */
function Add({ page }) {
    const [source, setSource] = useState("");
    const [fit, setFit] = useState(/** @type {{ source: string, fit: any } | null} */ (null));
    const wanted = source.trim();
    const isPath = /^[/~]/.test(wanted);
    useEffect(() => {
        if (!wanted || isPath) return undefined;
        const timer = setTimeout(() => call("POST", "/api/fit", { source: wanted })
            .then((found) => setFit({ source: wanted, fit: found }), () => setFit(null)), FIT_MS);
        return () => clearTimeout(timer);
    }, [wanted]);
    const submit = async (/** @type {Event} */ event) => {
        event.preventDefault();
        if (!wanted) return;
        const isDone = isPath
            ? await page.attempt(() => call("POST", "/api/models/import", { path: wanted }))
            : await startDownload(page, wanted);
        if (!isDone) return;
        setSource("");
        page.models.load();
    };
    return html`<form class="add" onSubmit=${submit}>
        <h2><label for="source">${t("addModel")}</label></h2>
        <div class="in-line">
            <input id="source" value=${source} placeholder=${t("sourcePlaceholder")} aria-describedby="source-help"
                spellcheck="false" autocapitalize="off"
                onInput=${(/** @type {any} */ event) => setSource(event.target.value)} />
            <button type="submit" class="button primary" disabled=${!wanted}>${t(isPath ? "importFile" : "download")}</button>
        </div>
        <p id="source-help" class="note">${t("sourceHelp")}</p>
        <div role="status">${fit && fit.source === wanted && html`<${FitLine} fit=${fit.fit} />`}</div>
    </form>`;
}
