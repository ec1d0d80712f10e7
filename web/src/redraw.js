/* Redraw: at most once a frame, however fast changes come; in a hidden tab twice a second. */

/** @param {() => void} work
 * @returns {() => void} */
export function onceAFrame(work) {
    let isWaiting = false;
    const run = () => {
        isWaiting = false;
        work();
    };
    return () => {
        if (isWaiting) return;
        isWaiting = true;
        if (typeof requestAnimationFrame === "function" && !document.hidden) requestAnimationFrame(run);
        else setTimeout(run, 50);
    };
}
