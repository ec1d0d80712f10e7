/* Maths: TeX to MathML, which browsers draw themselves. Temml is half the page's weight, so it is
 * fetched (from this server, like everything) when the first formula appears. It builds elements
 * itself, after sanitising, from text only, with \href and \includegraphics off; a formula that it
 * can't read stays as it was written. */

/** @type {Promise<any> | null} */
let loading = null;

/** Draws the formulas below `element` whose placeholders markdown.js left.
 * @param {Element} element */
export async function renderMath(element) {
    const waiting = element.querySelectorAll(".math:not(.drawn)");
    if (!waiting.length) return;
    loading ??= import("temml").then((module) => module.default);
    const temml = await loading;
    for (const place of waiting) {
        const tex = place.textContent ?? "";
        place.classList.add("drawn");
        try {
            temml.render(tex, place, {
                displayMode: place.classList.contains("display"), throwOnError: true, maxExpand: 100,
            });
        } catch {
            place.textContent = tex;
        }
    }
}
