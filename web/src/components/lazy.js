/* Lazy: components that are fetched when they are first wanted. */

import { useEffect, useReducer } from "preact/hooks";
import { html } from "../html.js";

/** @type {(() => Promise<void>)[]} */
const waiting = [];

/** Fetches them all while nobody waits, so that the first one opens at once. */
export function fetchLazy() {
    for (const fetchNow of waiting.splice(0)) fetchNow().catch(() => {});
}

/** @param {() => Promise<any>} load of a module that exports `name` @param {string} name
 * @returns {(props: any) => any} */
export function lazy(load, name) {
    /** @type {any} */
    let component = null;
    const fetchNow = () => load().then((module) => {
        component = module[name];
    });
    waiting.push(fetchNow);
    return function Lazy(props) {
        const [, redraw] = useReducer((/** @type {number} */ turns) => turns + 1, 0);
        const isDrawn = !!component; /* it may come between this and the effect */
        useEffect(() => {
            if (!isDrawn) fetchNow().then(() => redraw(0), () => {});
        }, []);
        return component && html`<${component} ...${props} />`;
    };
}
