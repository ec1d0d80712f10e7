/* Tree: a thread's messages.
 *
 * Each message names its parent; siblings are the answers to one question, or the wordings of one
 * question, in the order in which they were made. What the reader sees is the path from a root to the
 * `head`, a leaf. Arrows walk between siblings; below a sibling the branch is taken that was looked at
 * last, else the newest. Nothing here knows of the page or of the network, so that node tests it. */

/** @typedef {import("./types.js").Message} Message */
/** @typedef {Map<string, Message>} Messages */

/** Children of each message; those without a parent are under "".
 * @param {Messages} messages
 * @returns {Map<string, string[]>} */
export function childrenOf(messages) {
    /** @type {Map<string, string[]>} */
    const children = new Map();
    for (const { id, parent } of messages.values()) {
        const key = parent !== null && messages.has(parent) ? parent : "";
        const list = children.get(key);
        if (list) list.push(id);
        else children.set(key, [id]);
    }
    for (const list of children.values())
        list.sort((a, b) => createdOf(messages, a) - createdOf(messages, b));
    return children;
}

/** @param {Messages} messages @param {string} id */
const createdOf = (messages, id) => messages.get(id)?.created ?? 0;

/** The messages from the root to `head`, first to last.
 * @param {Messages} messages
 * @param {string | null} head
 * @returns {Message[]} */
export function pathTo(messages, head) {
    /** @type {Message[]} */
    const path = [];
    const seen = new Set();
    for (let id = head; id !== null && !seen.has(id);) {
        const message = messages.get(id);
        if (!message) break;
        seen.add(id);
        path.unshift(message);
        id = message.parent;
    }
    return path;
}

/** The leaf below a message: where the reader was last, else the newest branch.
 * @param {Map<string, string[]>} children
 * @param {string} id "" for the whole thread
 * @param {Map<string, string>} [chosen] message to the child last looked at
 * @returns {string | null} */
export function leafBelow(children, id, chosen = new Map()) {
    let at = id;
    for (;;) {
        const list = children.get(at);
        if (!list?.length) return at || null;
        const wanted = chosen.get(at);
        at = wanted !== undefined && list.includes(wanted) ? wanted : list[list.length - 1];
    }
}

/** @param {Map<string, string[]>} children @param {Message} message
 * @returns {{ ids: string[], index: number }} */
export function siblingsOf(children, message) {
    const list = children.get(message.parent ?? "");
    const ids = list?.includes(message.id) ? list : [message.id];
    return { ids, index: ids.indexOf(message.id) };
}

/** A message and everything below it.
 * @param {Map<string, string[]>} children @param {string} id
 * @returns {string[]} */
export function withDescendants(children, id) {
    const all = [id];
    for (let index = 0; index < all.length; index++) all.push(...(children.get(all[index]) ?? []));
    return all;
}
