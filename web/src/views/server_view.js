/* Server view: what a developer needs to point a client here: address, tokens, lines to copy; and how
 * well the model's process is walled in. */

import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { call } from "../api.js";
import { copyText } from "../clipboard.js";
import { formatDate } from "../i18n.js";
import { t } from "../later_words.js";
import { Icon, IconButton } from "../components/icons.js";
import { snippets } from "./snippets.js";

/** @typedef {import("../page.js").Page} Page */

/** @param {{ page: Page }} props */
export function ServerView({ page }) {
    const [server, setServer] = useState(/** @type {any} */ (null));
    const [tokens, setTokens] = useState(/** @type {any[] | null} */ (null));
    const [fresh, setFresh] = useState("");
    const loadTokens = () => call("GET", "/api/tokens").then((reply) => setTokens(reply.tokens), () => setTokens(null));
    useEffect(() => {
        call("GET", "/api/server").then(setServer, (error) => error.status !== 404 && page.note(error));
        loadTokens();
    }, [page.isOnline]);
    const address = `${server?.address ? server.address.replace(/\/$/, "") : location.origin}/v1`;
    const model = page.model?.name ?? "default";
    return html`<div class="scroller"><div class="view">
        <section><h2>${t("address")}</h2>
            <div class="in-line"><code class="address">${address}</code><${Copy} text=${address} label=${t("copyAddress")} /></div>
            <p class="note">${t(server?.token_required ? "addressToken" : "addressHelp")}
                ${server?.tls && ` ${t("overTls")}`}</p>
        </section>
        <${Snippets} address=${address} model=${model} token=${fresh || (server?.token_required ? "TOKEN" : "")} />
        ${tokens && html`<${Tokens} page=${page} tokens=${tokens} fresh=${fresh} onFresh=${setFresh} onChange=${loadTokens} />`}
        ${server?.sandbox && html`<${Sandbox} sandbox=${server.sandbox} />`}
        ${server && html`<p class="note">Den ${server.version}${server.home && html` · <code>${server.home}</code>`}</p>`}
    </div></div>`;
}

/** @param {{ text: string, label: string }} props */
function Copy({ text, label }) {
    const [isDone, setDone] = useState(false);
    return html`<${IconButton} icon=${isDone ? "check" : "copy"} label=${isDone ? t("copied") : label}
        onClick=${async () => {
            setDone(await copyText(text));
            setTimeout(() => setDone(false), 1500);
        }} />`;
}

/** @param {{ address: string, model: string, token: string }} props */
function Snippets({ address, model, token }) {
    const [chosen, setChosen] = useState("curl");
    const all = snippets({ address, model, token });
    return html`<section><h2>${t("snippets")}</h2>
        <div class="tabs" role="tablist" aria-label=${t("snippets")}>${Object.keys(all).map((name) => html`
            <button type="button" role="tab" key=${name} id="tab-${name}" aria-selected=${name === chosen}
                aria-controls="snippet" tabindex=${name === chosen ? 0 : -1} onClick=${() => setChosen(name)}
                onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
                    const names = Object.keys(all);
                    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
                    if (!step) return;
                    const next = names[(names.indexOf(name) + step + names.length) % names.length];
                    setChosen(next);
                    document.getElementById(`tab-${next}`)?.focus();
                }}>${name}</button>`)}</div>
        <figure class="code" role="tabpanel" id="snippet" aria-labelledby="tab-${chosen}">
            <figcaption><span>${chosen}</span><${Copy} text=${all[chosen]} label=${t("copySnippet")} /></figcaption>
            <pre tabindex="0"><code>${all[chosen]}</code></pre></figure></section>`;
}

/** @type {[string, import("../i18n.js").StringKey][]} */
const SCOPES = [["read", "scopeRead"], ["chat", "scopeChat"], ["admin", "scopeAdmin"]];

/** @param {{ page: Page, tokens: any[], fresh: string, onFresh(token: string): void, onChange(): void }} props */
function Tokens({ page, tokens, fresh, onFresh, onChange }) {
    const [name, setName] = useState("");
    const [scope, setScope] = useState("chat");
    const scopeWords = (/** @type {string} */ one) => t(SCOPES.find(([value]) => value === one)?.[1] ?? "scopeChat");
    const create = async (/** @type {Event} */ event) => {
        event.preventDefault();
        const made = await page.attempt(() => call("POST", "/api/tokens", { name: name.trim(), scope }));
        if (!made) return;
        setName("");
        onFresh(made.token);
        onChange();
    };
    const revoke = (/** @type {any} */ token) => page.ask("confirm", {
        title: t("revoke"), text: t("revokeText", { name: token.name }), action: t("revoke"),
        act: () => page.attempt(() => call("DELETE", `/api/tokens/${token.id}`)).then(onChange),
    });
    return html`<section><h2>${t("tokensTitle")}</h2><p class="note">${t("tokensHelp")}</p>
        ${fresh && html`<div class="fresh" role="status"><p>${t("tokenOnce")}</p>
            <div class="in-line"><code class="address">${fresh}</code><${Copy} text=${fresh} label=${t("copyToken")} /></div></div>`}
        <ul class="rows">${tokens.map((token) => html`<li class="row" key=${token.id}>
            <span class="row-text"><strong>${token.name}</strong><small>${scopeWords(token.scope)} · ${
                token.last_used ? t("lastUsed", { date: formatDate(token.last_used) }) : t("neverUsed")}</small></span>
            <button type="button" class="button" onClick=${() => revoke(token)}
                aria-label=${`${t("revoke")}: ${token.name}`}>${t("revoke")}</button></li>`)}</ul>
        <form class="in-line" onSubmit=${create}>
            <input value=${name} aria-label=${t("tokenName")} placeholder=${t("tokenName")}
                onInput=${(/** @type {any} */ event) => setName(event.target.value)} />
            <select class="framed" aria-label=${t("scope")} value=${scope}
                onChange=${(/** @type {any} */ event) => setScope(event.target.value)}>
                ${SCOPES.map(([value, label]) => html`<option value=${value} selected=${value === scope}>${t(label)}</option>`)}</select>
            <button type="submit" class="button" disabled=${!name.trim()}>${t("createToken")}</button>
        </form></section>`;
}

/** @param {{ sandbox: { level: string, walls: { name: string, up: boolean, why?: string }[] } }} props */
function Sandbox({ sandbox }) {
    const kind = { full: "good", none: "poor" }[sandbox.level] ?? "fair";
    return html`<section><h2>${t("sandbox")}</h2>
        <p class="fit ${kind}"><span class="dot" />${t("sandboxLevel", { level: sandbox.level })}</p>
        <p class="note">${t("sandboxHelp")}</p>
        <ul class="walls">${sandbox.walls.map((wall) => html`<li key=${wall.name} class=${wall.up ? "" : "down"}>
            <${Icon} name=${wall.up ? "check" : "close"} /><span>${wall.name}
                <span class="only-heard">${t(wall.up ? "wallUp" : "wallDown")}</span>
                ${wall.why && html`<small>${wall.why}</small>`}</span></li>`)}</ul></section>`;
}
