/* Files: text that comes in by paste, drop or choice as attachments, and exports that go out. */

import { ApiError, request } from "./api.js";

/** @typedef {import("./types.js").Attachment} Attachment */

export const PASTE_CHARACTERS_MAX = 2000;
const FILE_BYTES_MAX = 512 * 1024;

/** Longer pastes become an attachment, so that the question stays readable.
 * @param {string} text @param {string} name */
export function pasteAsAttachment(text, name) {
    return text.length > PASTE_CHARACTERS_MAX ? { name, text } : null;
}

/**
 * Reads text files; what is none, or too long for any model, is reported and left out.
 * @param {Iterable<File>} files
 * @returns {Promise<{ attachments: Attachment[], refused: { name: string, why: "binary" | "large" }[] }>}
 */
export async function readFiles(files) {
    /** @type {Attachment[]} */
    const attachments = [];
    /** @type {{ name: string, why: "binary" | "large" }[]} */
    const refused = [];
    for (const file of files) {
        if (file.size > FILE_BYTES_MAX) {
            refused.push({ name: file.name, why: "large" });
            continue;
        }
        try {
            const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
            if (text.includes("\0")) throw new TypeError("binary");
            attachments.push({ name: file.name, text });
        } catch {
            refused.push({ name: file.name, why: "binary" });
        }
    }
    return { attachments, refused };
}

/** @typedef {{ path: string, file: File }} Found a file with the folders it came in */

/** What was dropped, with the files of folders. Must be called before the event is over; the folders are
 * read behind it.
 * @param {DataTransfer | null} data
 * @returns {Promise<Found[]>} */
export async function droppedFiles(data) {
    const entries = [...(data?.items ?? [])].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const files = [...(data?.files ?? [])];
    if (!entries.some((one) => one?.isDirectory)) return files.map((file) => ({ path: file.name, file }));
    /** @type {Found[]} */
    const found = [];
    /** @param {any} entry @param {string} folder */
    async function walk(entry, folder) {
        const path = folder + entry.name;
        if (entry.isFile) {
            const file = await new Promise((resolve) => entry.file(resolve, () => resolve(null)));
            if (file) found.push({ path, file });
            return;
        }
        const reader = entry.createReader();
        for (;;) { /* a reader gives a hundred at a time */
            const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
            if (!some.length) return;
            for (const one of some) if (!one.name.startsWith(".")) await walk(one, `${path}/`);
        }
    }
    for (const entry of entries) await walk(entry, "");
    return found;
}

/** @param {Blob} blob @param {string} name */
export function save(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** Saves what the program sends for `path`, under the name that it gives or `name`.
 * @param {string} path @param {string} name */
export async function download(path, name) {
    const response = await request(path);
    const given = /filename\*?=(?:UTF-8'')?"?([^";]+)/i.exec(response.headers.get("content-disposition") ?? "");
    save(await response.blob(), given ? decodeURIComponent(given[1]) : name);
}

/** Asks for files; with `accept` for one, with `isFolder` for those of a folder.
 * @param {string} [accept] @param {boolean} [isFolder]
 * @returns {Promise<File[]>} */
export function chooseFiles(accept = "", isFolder = false) {
    return new Promise((resolve) => {
        const input = document.createElement("input");
        input.type = "file";
        input.accept = accept;
        input.multiple = !accept;
        input.webkitdirectory = isFolder;
        input.onchange = () => resolve([...(input.files ?? [])]);
        input.oncancel = () => resolve([]);
        input.click();
    });
}

/** Hands an export to the program. @param {File} file
 * @returns {Promise<{ threads: number, messages: number, skipped: { index: number, why: string }[] }>} */
export async function importFile(file) {
    const text = await file.text();
    try {
        JSON.parse(text);
    } catch {
        throw new ApiError("request", `${file.name}: not JSON`);
    }
    return (await request("/api/import", { method: "POST", body: text })).json();
}
