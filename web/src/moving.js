/* Moving: chats that an earlier Den kept in this browser are handed to the program, once. They are
 * marked as moved and otherwise left where they are; the marking is what keeps them from coming twice. */

import { call } from "./api.js";

const MARK = "den.moved";

/** @typedef {{ id: string, title: string, renamed: boolean, created: number, updated: number,
 *   roots: string[], chosenRoot: number, model: string, parameters: any,
 *   messages: Record<string, any> }} OldConversation */

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function settled(request) {
    return new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
}

/** @returns {Promise<OldConversation[]>} */
async function readOld() {
    const all = (await indexedDB.databases?.()) ?? [{ name: "den" }];
    if (!all.some(({ name }) => name === "den")) return [];
    const database = await settled(indexedDB.open("den"));
    if (!database.objectStoreNames.contains("conversations")) return [];
    const table = database.transaction("conversations").objectStore("conversations");
    const rows = await settled(table.getAll());
    database.close();
    return rows;
}

/** An old conversation in the form of Den's export.
 * @param {OldConversation} old */
export function toExport(old) {
    /** @type {string | null} */
    let head = old.roots[old.chosenRoot] ?? null;
    while (head && old.messages[head]?.children?.length) {
        /** @type {{ children: string[], chosen: number }} */
        const at = old.messages[head];
        head = at.children[at.chosen] ?? at.children[at.children.length - 1];
    }
    const { system = "", ...parameters } = old.parameters ?? {};
    return {
        id: old.id, title: old.title, renamed: old.renamed, created: old.created, updated: old.updated,
        model: old.model, system, parameters: { ...parameters, preset: parameters.preset || null }, head,
        folder: null, pinned: false,
        messages: Object.values(old.messages)
            .sort((a, b) => a.created - b.created)
            .map(({ id, parent, role, content, created, model, measures, finish }) => ({
                id, parent, role, content, created, model: model ?? "", measures: measures ?? null,
                finish: finish ?? "stop", reasoning: "", attachments: [],
            })),
    };
}

/** @returns {Promise<number>} how many threads were moved */
export async function moveOldChats() {
    if (localStorage.getItem(MARK)) return 0;
    const old = await readOld().catch(() => []);
    let moved = 0;
    if (old.length) {
        const file = { format: "den", version: 1, threads: old.filter((one) => one.roots.length).map(toExport) };
        moved = (await call("POST", "/api/import", file)).threads;
    }
    localStorage.setItem(MARK, new Date().toISOString());
    return moved;
}
