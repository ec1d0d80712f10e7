/* Maths: TeX to MathML, which browsers draw themselves. Temml is a third of the page's weight, so it is
 * fetched (from this server, like everything) when the first formula appears. It builds elements
 * itself, from text only, with \href and \includegraphics off; a formula that it can't read stays as it
 * was written. */

/** @type {Promise<any> | null} */
let loading = null;

/** @param {Element} place @param {string} tex @param {boolean} isDisplay */
export async function drawMath(place, tex, isDisplay) {
    place.textContent = tex;
    loading ??= import("temml").then((module) => module.default);
    const temml = await loading;
    try {
        temml.render(tex, place, { displayMode: isDisplay, throwOnError: true, maxExpand: 100 });
    } catch {
        place.textContent = tex;
    }
    place.classList.add("drawn");
}
