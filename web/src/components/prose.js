/* Prose: an answer's Markdown. One element for each top-level block, keyed by its place; a block is
 * drawn again only when its source changed, which while streaming is the last one. */

import { Component } from "preact";
import { useRef } from "preact/hooks";
import { html } from "../html.js";
import { createBlockReader, renderBlock, toBlocks } from "../markdown.js";
import { renderMath } from "../math.js";

/** @param {{ text: string, language: string, isRunning: boolean }} props */
export function Prose({ text, language, isRunning }) {
    const reader = useRef(/** @type {ReturnType<typeof createBlockReader> | null} */ (null));
    reader.current ??= createBlockReader();
    const blocks = isRunning ? reader.current(text) : toBlocks(text);
    return html`<div class="prose">${blocks.map((block, index) =>
        html`<${Block} key=${index} block=${block} raw=${block.raw} language=${language} />`)}</div>`;
}

class Block extends Component {
    /** @param {any} next */
    shouldComponentUpdate(next) {
        const before = /** @type {any} */ (this.props);
        return next.raw !== before.raw || next.language !== before.language;
    }
    componentDidMount() {
        this.draw();
    }
    componentDidUpdate() {
        this.draw();
    }
    /** Sets the HTML itself: formulas are drawn into it, and Preact must not compare it. */
    draw() {
        const place = /** @type {HTMLElement} */ (/** @type {any} */ (this).place);
        place.innerHTML = renderBlock(/** @type {any} */ (this.props).block);
        renderMath(place);
    }
    render() {
        return html`<div class="block" dir="auto"
            ref=${(/** @type {any} */ place) => { if (place) /** @type {any} */ (this).place = place; }} />`;
    }
}
