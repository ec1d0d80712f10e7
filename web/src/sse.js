/* SSE: server-sent events from bytes.
 *
 * The browser's EventSource hides why a stream could not be opened (no program? no permission?), so it
 * is read with fetch and parsed here. The format: lines end in LF, CR or CRLF; `field: value`; an empty line ends an event; several `data`
 * lines are joined by newlines; a line that starts with a colon is a comment (servers send them to
 * keep connections alive). A piece from the network may end anywhere, also inside a character or
 * between CR and LF. Only `event` and `data` matter here. */

/**
 * @param {(data: string, name: string) => void} onEvent called once for each event that has data
 * @returns {{ push(bytes: Uint8Array): void, end(): void }}
 */
export function createSseParser(onEvent) {
    const decoder = new TextDecoder();
    let rest = "";
    let afterCr = false; /* the last line ended in CR: a LF that follows belongs to it */
    let name = "message";
    /** @type {string[]} */
    let data = [];

    /** @param {string} line */
    function takeLine(line) {
        if (line === "") {
            if (data.length) onEvent(data.join("\n"), name);
            data = [];
            name = "message";
            return;
        }
        const colon = line.indexOf(":");
        const field = colon < 0 ? line : line.slice(0, colon);
        const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
        if (field === "event") name = value || "message";
        else if (field === "data") data.push(value);
    }

    /** @param {string} text */
    function take(text) {
        if (text === "") return;
        if (afterCr && text.startsWith("\n")) text = text.slice(1);
        afterCr = text.endsWith("\r");
        const lines = (rest + text).split(/\r\n|\n|\r/);
        rest = /** @type {string} */ (lines.pop());
        lines.forEach(takeLine);
    }

    return {
        push(bytes) {
            take(decoder.decode(bytes, { stream: true }));
        },
        /* An event with no empty line after it is incomplete and is dropped, as the standard says. */
        end() {
            take(decoder.decode());
        },
    };
}
