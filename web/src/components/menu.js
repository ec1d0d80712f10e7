/* Menu: a button that opens a list of actions. The pattern of the ARIA guide: arrows walk, Escape and
 * Tab close, the focus goes back to the button. A separator is `null`; an item may be a heading. The
 * list is placed against the window, so that no box that scrolls cuts it off. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { Icon } from "./icons.js";

/** @typedef {{ label: string, icon?: import("./icons.js").IconName, act: () => void,
 *   isDanger?: boolean, isOn?: boolean, disabled?: boolean }} Item */

/** @param {{ label: string, icon?: import("./icons.js").IconName, items: () => (Item | null | false)[],
 *   class?: string, children?: any, menuClass?: string }} props */
export function Menu({ label, icon = "more", items, class: name = "icon-button", children, menuClass = "" }) {
    const [isOpen, setOpen] = useState(false);
    const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
    const close = (/** @type {boolean} */ returns) => {
        setOpen(false);
        if (returns) button.current?.focus();
    };
    return html`
        <button type="button" class=${name} ref=${button} aria-haspopup="menu" aria-expanded=${isOpen}
            aria-label=${label} title=${label} onClick=${(/** @type {Event} */ event) => {
                event.stopPropagation();
                setOpen(!isOpen);
            }}>${children ?? html`<${Icon} name=${icon} />`}</button>
        ${isOpen && html`<${List} label=${label} items=${items().filter((one) => one !== false)}
            anchor=${button} onClose=${close} class=${menuClass} />`}`;
}

/** @param {{ label: string, items: (Item | null)[], class: string,
 *   anchor: { current: HTMLElement | null }, onClose(returns: boolean): void }} props */
function List({ label, items, anchor, onClose, class: name }) {
    const list = useRef(/** @type {HTMLElement | null} */ (null));
    const choices = () =>
        /** @type {HTMLElement[]} */ ([...(list.current?.querySelectorAll("[role^=menuitem]:not(:disabled)") ?? [])]);
    useLayoutEffect(() => {
        const box = list.current;
        const from = anchor.current?.getBoundingClientRect();
        if (!box || !from) return;
        const { width, height } = box.getBoundingClientRect();
        const below = from.bottom + 4 + height <= innerHeight;
        box.style.top = `${Math.max(8, below ? from.bottom + 4 : from.top - height - 4)}px`;
        box.style.left = `${Math.max(8, Math.min(from.left, innerWidth - width - 8))}px`;
        (choices().find((one) => one.getAttribute("aria-checked") === "true") ?? choices()[0])?.focus();
    }, []);
    useEffect(() => {
        const onOutside = (/** @type {Event} */ event) => {
            const target = /** @type {Node} */ (event.target);
            if (!list.current?.contains(target) && !anchor.current?.contains(target)) onClose(false);
        };
        const onScroll = (/** @type {Event} */ event) => list.current?.contains(/** @type {Node} */ (event.target)) || onClose(false);
        document.addEventListener("pointerdown", onOutside);
        document.addEventListener("scroll", onScroll, true);
        return () => {
            document.removeEventListener("pointerdown", onOutside);
            document.removeEventListener("scroll", onScroll, true);
        };
    }, []);
    const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
        const all = choices();
        const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
        const steps = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 };
        if (event.key in steps) all[steps[/** @type {"Home"} */ (event.key)] % all.length]?.focus();
        else if (event.key === "Escape") onClose(true);
        else if (event.key === "Tab") return onClose(false);
        else if (event.key.length === 1) {
            const letter = event.key.toLowerCase();
            [...all.slice(at + 1), ...all].find((one) =>
                one.textContent?.trim().toLowerCase().startsWith(letter))?.focus();
            if (event.key !== " ") return;
            return;
        } else return;
        event.preventDefault();
        event.stopPropagation();
    };
    return html`<div class="menu ${name}" role="menu" aria-label=${label} ref=${list} onKeyDown=${onKeyDown}>
        ${items.map((item) => item ? html`<${Entry} item=${item} onClose=${onClose} />`
            : html`<hr role="separator" />`)}</div>`;
}

/** @param {{ item: Item, onClose(returns: boolean): void }} props */
function Entry({ item, onClose }) {
    const inner = html`${item.isOn !== undefined
        ? html`<span class="tick">${item.isOn && html`<${Icon} name="check" />`}</span>`
        : item.icon && html`<${Icon} name=${item.icon} />`}<span>${item.label}</span>`;
    const name = item.isDanger ? "danger" : "";
    const onClick = (/** @type {Event} */ event) => {
        event.stopPropagation();
        onClose(true);
        item.act();
    };
    return html`<button type="button" class=${name} tabindex="-1" disabled=${item.disabled}
        role=${item.isOn === undefined ? "menuitem" : "menuitemradio"} aria-checked=${item.isOn}
        onClick=${onClick}>${inner}</button>`;
}
