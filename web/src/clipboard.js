/* Clipboard: copying, with the old way where the new one is refused (a page served to another
 * machine over plain HTTP is no secure context). */

/** @param {string} text
 * @returns {Promise<boolean>} */
export async function copyText(text) {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        const area = document.createElement("textarea");
        area.value = text;
        document.body.append(area);
        area.select();
        const done = document.execCommand("copy");
        area.remove();
        return done;
    }
}
