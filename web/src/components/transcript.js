/* Transcript: the messages shown. It stays at the end while text arrives, unless the reader has
 * scrolled up; then a button leads back.
 *
 * Only messages near what is seen are drawn whole. An observer on a band of two screens above and below
 * says which; the others keep their element with the height they had, or an estimate from their length
 * until they were seen once. The browser's own scroll anchoring holds the reader's place when an
 * estimate was wrong. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../i18n.js";
import { copyText } from "../clipboard.js";
import { Icon } from "./icons.js";
import { Message } from "./message.js";

/** @typedef {import("../page.js").Page} Page */

const NEAR_PX = 48;
const BAND = "200% 0px";
/* Short conversations are drawn whole. */
const WHOLE_MAX = 16;
const LINE_PX = 27;
const LINE_CHARACTERS = 84;

/** @param {import("../types.js").Message} message */
function estimateHeight({ content, role }) {
    const lines = content.split("\n").length + content.length / LINE_CHARACTERS;
    const text = Math.ceil(lines) * LINE_PX;
    return (role === "user" ? Math.min(text, 384) + 20 : text) + 60;
}

/** @param {{ page: Page }} props */
export function Transcript({ page }) {
    const { open } = page;
    const path = open.path;
    const scroller = useRef(/** @type {HTMLElement | null} */ (null));
    const inner = useRef(/** @type {HTMLElement | null} */ (null));
    const follows = useRef(true);
    const shown = useRef("");
    const [isAway, setAway] = useState(false);
    const { near, heights, reveal } = useWindow(scroller, inner, open.id, path);

    const toEnd = () => {
        follows.current = true;
        setAway(false);
        if (scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight;
    };
    const onScroll = () => {
        const box = scroller.current;
        if (!box) return;
        const isNear = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX;
        if (!isNear || page.settings.follow) follows.current = isNear;
        setAway(!isNear);
    };
    useLayoutEffect(() => {
        const now = `${open.id} ${path.at(-1)?.id}`;
        if (now !== shown.current && !page.target) follows.current = true; /* another chat, a new question */
        shown.current = now;
        if (follows.current && !page.target) toEnd();
    });
    useEffect(() => {
        if (!inner.current) return undefined;
        const observer = new ResizeObserver(() => {
            if (follows.current && page.settings.follow && !page.target && scroller.current)
                scroller.current.scrollTop = scroller.current.scrollHeight;
        });
        observer.observe(inner.current);
        return () => observer.disconnect();
    }, [open.id]);
    useLayoutEffect(() => {
        if (!page.target || !open.messages.has(page.target)) return;
        follows.current = false;
        scrollToMessage(scroller.current, page.target, reveal);
        page.target = "";
    });

    const isAnswering = !!open.running;
    return html`
        <div class="scroller" ref=${scroller} onScroll=${onScroll} onClick=${onClickCode}>
            <div class="transcript" role="log" aria-live="off" aria-label=${t("conversation")}
                tabindex="0" ref=${inner}>
                ${path.map((message, index) => {
                    const { ids, index: sibling } = open.siblingsOf(message);
                    return html`<${Message} key=${message.id} page=${page} id=${message.id}
                        index=${index} count=${path.length} isLast=${index === path.length - 1}
                        isFar=${path.length > WHOLE_MAX && !near.has(message.id) && index < path.length - 2}
                        height=${heights.get(message.id) ?? estimateHeight(message)}
                        sibling=${sibling} siblings=${ids} isAnswering=${isAnswering} onReveal=${reveal} />`;
                })}
            </div>
            ${isAway && html`<button type="button" class="to-end" aria-label=${t("toEnd")}
                title=${t("toEnd")} onClick=${toEnd}><${Icon} name="down" /></button>`}
        </div>`;
}

/** Which messages are near, and the heights of those that were.
 * @param {{ current: HTMLElement | null }} scroller
 * @param {{ current: HTMLElement | null }} inner
 * @param {string} thread
 * @param {import("../types.js").Message[]} path */
function useWindow(scroller, inner, thread, path) {
    const heights = useRef(/** @type {Map<string, number>} */ (new Map())).current;
    const [near, setNear] = useState(/** @type {Set<string>} */ (new Set()));
    const isLong = path.length > WHOLE_MAX;
    const ids = isLong ? path.map(({ id }) => id).join(" ") : "";
    useEffect(() => {
        if (!isLong || !inner.current) return undefined;
        const observer = new IntersectionObserver((entries) => setNear((before) => {
            const now = new Set(before);
            for (const { target, isIntersecting, boundingClientRect } of entries) {
                const id = /** @type {HTMLElement} */ (target).dataset.id ?? "";
                if (!target.classList.contains("far")) heights.set(id, boundingClientRect.height);
                if (isIntersecting) now.add(id);
                /* What holds the keyboard or a selection is not taken away. */
                else if (!target.contains(document.activeElement)) now.delete(id);
            }
            return now;
        }), { root: scroller.current, rootMargin: BAND });
        for (const child of inner.current.children) observer.observe(child);
        return () => observer.disconnect();
    }, [thread, ids]);
    const reveal = (/** @type {string} */ id) => setNear((before) => new Set(before).add(id));
    return { near, heights, reveal };
}

/** @param {HTMLElement | null} box @param {string} id @param {(id: string) => void} reveal */
function scrollToMessage(box, id, reveal) {
    reveal(id);
    let turns = 3; /* estimates above it settle */
    const step = () => {
        const place = box?.querySelector(`[data-id="${CSS.escape(id)}"]`);
        place?.scrollIntoView({ block: "start" });
        place?.classList.add("found");
        if (--turns) requestAnimationFrame(step);
    };
    step();
}

/** @param {any} event */
async function onClickCode(event) {
    const button = event.target.closest?.(".copy-code");
    if (!button) return;
    await copyText(button.closest("figure").querySelector("code").textContent);
    button.textContent = t("copied");
    setTimeout(() => (button.textContent = t("copy")), 1500);
}
