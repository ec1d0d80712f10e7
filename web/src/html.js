/* HTML: htm bound to Preact, and pure(), which spares a component from drawing when its properties
 * are what they were. Messages are changed in place while they stream, so their text is handed down
 * as a property of its own. */

import { Component, h } from "preact";
import htm from "htm";

export const html = /** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */ (
    htm.bind(h));

/**
 * @template P
 * @param {(props: P) => any} draw a component without hooks of its own
 * @returns {any}
 */
export function pure(draw) {
    return class extends Component {
        /** @param {any} next */
        shouldComponentUpdate(next) {
            const before = /** @type {any} */ (this.props);
            return Object.keys({ ...before, ...next }).some((key) => before[key] !== next[key]);
        }
        render() {
            return draw(/** @type {any} */ (this.props));
        }
    };
}
