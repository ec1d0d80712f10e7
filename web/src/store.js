/* Store: where conversations are kept. Today that is this browser's IndexedDB; the interface is
 * small and asynchronous so that the server's database can take its place.
 *
 *   list()          every conversation, newest first
 *   load(id)        one, or null
 *   save(c)         insert or replace
 *   remove(id)
 *   onForeignChange another tab of this browser has changed something
 *
 * IndexedDB rather than localStorage: no ceiling of 5 MB, no work on the page's thread for text that
 * is not looked at, and a write is whole or not at all. Where it is refused (some private windows)
 * conversations live in memory and `isLasting` is false, which the page says. */

/** @typedef {import("./types.js").Conversation} Conversation */

/**
 * @typedef {{
 *   isLasting: boolean,
 *   list(): Promise<Conversation[]>,
 *   load(id: string): Promise<Conversation | null>,
 *   save(conversation: Conversation): Promise<void>,
 *   remove(id: string): Promise<void>,
 *   onForeignChange(listener: () => void): void
 * }} Store
 */

const DATABASE = "den";
const VERSION = 1;
const CONVERSATIONS = "conversations";

/** @param {Conversation} a @param {Conversation} b */
const newestFirst = (a, b) => b.updated - a.updated;

/** @returns {Store} */
export function createMemoryStore() {
    /** @type {Map<string, string>} */
    const rows = new Map();
    return {
        isLasting: false,
        list: async () => [...rows.values()].map((row) => JSON.parse(row)).sort(newestFirst),
        load: async (id) => (rows.has(id) ? JSON.parse(/** @type {string} */ (rows.get(id))) : null),
        save: async (conversation) => void rows.set(conversation.id, JSON.stringify(conversation)),
        remove: async (id) => void rows.delete(id),
        onForeignChange: () => {},
    };
}

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

/** @returns {Promise<IDBDatabase>} */
function openDatabase() {
    const request = indexedDB.open(DATABASE, VERSION);
    request.onupgradeneeded = () =>
        request.result.createObjectStore(CONVERSATIONS, { keyPath: "id" });
    return settled(request);
}

/** @returns {Promise<Store>} */
export async function openStore() {
    let database;
    try {
        database = await openDatabase();
    } catch {
        return createMemoryStore();
    }
    const channel = new BroadcastChannel("den.store");
    const table = (/** @type {IDBTransactionMode} */ mode) =>
        database.transaction(CONVERSATIONS, mode).objectStore(CONVERSATIONS);
    return {
        isLasting: true,
        list: async () => (await settled(table("readonly").getAll())).sort(newestFirst),
        load: async (id) => (await settled(table("readonly").get(id))) ?? null,
        save: async (conversation) => {
            await settled(table("readwrite").put(structuredClone(conversation)));
            channel.postMessage(conversation.id);
        },
        remove: async (id) => {
            await settled(table("readwrite").delete(id));
            channel.postMessage(id);
        },
        onForeignChange: (listener) => channel.addEventListener("message", listener),
    };
}
