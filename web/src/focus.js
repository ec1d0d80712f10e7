/* Focus: where the keyboard goes when the element that had it disappears. A button that starts an
 * answer vanishes while the answer is written; the next thing typed belongs into the composer. On a
 * touch screen that would raise the keyboard over the answer, so there the focus is left alone. */

export function focusComposer() {
    if (!matchMedia("(pointer: fine)").matches) return;
    requestAnimationFrame(() => document.getElementById("composer")?.focus());
}
