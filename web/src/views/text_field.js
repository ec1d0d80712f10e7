/* Text field: of a form whose fields are each taken over when they are left. What is typed is the field's
 * own: no redraw and nothing that comes from the program meanwhile puts the old text back, also not while
 * the program is being told of it; and what was typed is taken over when the view goes away under it. */

import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";

/** @param {{ label: string, help?: string, placeholder?: string, value: string, rows?: number, isNeeded?: boolean,
 *   onDone(value: string): void }} props */
export function TextField({ label, help, placeholder, value, rows, isNeeded, onDone }) {
    const [typed, setTyped] = useState({ text: "", instead: /** @type {string | null} */ (null) });
    const dirty = useRef(/** @type {string | null} */ (null)); /* typed, and not taken over yet */
    const shown = dirty.current ?? (typed.instead === value ? typed.text : value) ?? "";
    const finish = () => {
        const text = dirty.current;
        dirty.current = null;
        if (text === null || text === value) return;
        if (isNeeded && !text.trim()) setTyped({ text: "", instead: null });
        else onDone(text);
    };
    const last = useRef(finish);
    last.current = finish;
    useEffect(() => () => last.current(), []);
    const given = {
        value: shown, dir: "auto", placeholder, onChange: finish,
        onInput: (/** @type {any} */ event) => {
            dirty.current = event.target.value;
            setTyped({ text: event.target.value, instead: value });
        },
    };
    return html`<label class="stacked setting"><span>${label}</span>
        ${rows ? html`<textarea rows=${rows} ...${given} />` : html`<input ...${given} />`}
        ${help && html`<small>${help}</small>`}</label>`;
}
