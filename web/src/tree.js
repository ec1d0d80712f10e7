/* Tree: a conversation's messages.
 *
 * A conversation is a forest: `roots` are first messages, each message lists its `children`, and
 * `chosen` says which child is shown. What the reader sees is one path from a root to a leaf.
 * Editing a question adds a sibling beside it, another answer adds a sibling answer; arrows walk
 * between siblings and nothing is lost. Removing a message removes what hangs below it.
 *
 * Operations change the conversation in place and return what they made. All are pure of the page
 * and of time, which is passed in, so that node tests them. A conversation has at most some hundred
 * messages: every operation may cost its length. */

/** @typedef {import("./types.js").Conversation} Conversation */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Parameters} Parameters */

/** @type {Parameters} */
export const PARAMETERS_UNSET = {
    system: "",
    preset: "",
    temperature: null,
    top_p: null,
    max_tokens: null,
    seed: null,
};

const TITLE_CHARACTERS_MAX = 60;

/** A random name that sorts nowhere and collides never.
 * @returns {string} */
export function createId() {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {{ now: number, model?: string, parameters?: Partial<Parameters> }} options
 * @returns {Conversation}
 */
export function createConversation({ now, model = "", parameters = {} }) {
    return {
        id: createId(),
        title: "",
        renamed: false,
        created: now,
        updated: now,
        roots: [],
        chosenRoot: 0,
        messages: {},
        model,
        parameters: { ...PARAMETERS_UNSET, ...parameters },
    };
}

/** The list that holds a message: its parent's children, or the roots.
 * @param {Conversation} conversation
 * @param {string | null} parent */
function listOf(conversation, parent) {
    return parent === null ? conversation.roots : conversation.messages[parent].children;
}

/**
 * Adds a message below `parent` (null: a first message) and makes it the chosen one.
 * @param {Conversation} conversation
 * @param {string | null} parent
 * @param {{ role: "user" | "assistant", content: string, now: number, model?: string }} fields
 * @returns {Message}
 */
export function addMessage(conversation, parent, { role, content, now, model }) {
    const list = listOf(conversation, parent);
    /** @type {Message} */
    const message = {
        id: createId(), parent, children: [], chosen: 0, role, content, created: now, finish: null,
    };
    if (model) message.model = model;
    conversation.messages[message.id] = message;
    list.push(message.id);
    choose(conversation, message.id);
    conversation.updated = now;
    if (!conversation.renamed && role === "user" && parent === null)
        conversation.title = titleFrom(content);
    return message;
}

/** Shows this message among its siblings.
 * @param {Conversation} conversation
 * @param {string} id */
export function choose(conversation, id) {
    const { parent } = conversation.messages[id];
    const index = listOf(conversation, parent).indexOf(id);
    if (parent === null) conversation.chosenRoot = index;
    else conversation.messages[parent].chosen = index;
}

/**
 * The messages shown, first to last.
 * @param {Conversation} conversation
 * @returns {Message[]}
 */
export function pathOf(conversation) {
    const path = [];
    let id = conversation.roots[conversation.chosenRoot];
    while (id) {
        const message = conversation.messages[id];
        path.push(message);
        id = message.children[message.chosen];
    }
    return path;
}

/**
 * @param {Conversation} conversation
 * @param {string} id
 * @returns {{ ids: string[], index: number }}
 */
export function siblingsOf(conversation, id) {
    const ids = listOf(conversation, conversation.messages[id].parent);
    return { ids, index: ids.indexOf(id) };
}

/** Removes a message and everything below it; a neighbour takes its place.
 * @param {Conversation} conversation
 * @param {string} id */
export function removeMessage(conversation, id) {
    const { parent } = conversation.messages[id];
    const list = listOf(conversation, parent);
    const index = list.indexOf(id);
    const waiting = [id];
    while (waiting.length) {
        const next = /** @type {string} */ (waiting.pop());
        waiting.push(...conversation.messages[next].children);
        delete conversation.messages[next];
    }
    list.splice(index, 1);
    const shown = parent === null ? conversation.chosenRoot : conversation.messages[parent].chosen;
    const chosen = Math.max(0, Math.min(shown > index ? shown - 1 : shown, list.length - 1));
    if (parent === null) conversation.chosenRoot = chosen;
    else conversation.messages[parent].chosen = chosen;
}

/**
 * Frees room in the context: lifts out the oldest question and its answer of the shown path, and
 * hangs what follows where they were. Returns how many messages went.
 * @param {Conversation} conversation
 * @returns {number}
 */
export function removeOldest(conversation) {
    const path = pathOf(conversation);
    const next = path.findIndex((message, index) => index > 0 && message.role === "user");
    if (next <= 0) return 0;
    const first = path[0];
    const rest = path[next];
    const index = conversation.roots.indexOf(first.id);
    const holder = conversation.messages[/** @type {string} */ (rest.parent)];
    holder.children.splice(holder.children.indexOf(rest.id), 1);
    rest.parent = null;
    conversation.roots[index] = rest.id;
    const waiting = [first.id];
    while (waiting.length) {
        const id = /** @type {string} */ (waiting.pop());
        waiting.push(...conversation.messages[id].children);
        delete conversation.messages[id];
    }
    return next;
}

/**
 * What the server is sent. A question whose answer failed before its first word is left out with it,
 * once another follows: many templates demand that roles alternate.
 * @param {Message[]} path
 * @param {string} system
 * @returns {{ role: string, content: string }[]}
 */
export function toRequestMessages(path, system) {
    /** @type {{ role: string, content: string }[]} */
    const messages = system.trim() ? [{ role: "system", content: system }] : [];
    path.forEach((message, index) => {
        const answer = message.role === "user" ? path[index + 1] : message;
        const isLost = answer !== undefined && answer.content === "";
        const isLast = index >= path.length - 2;
        if (isLost && (message.role === "assistant" || !isLast)) return;
        messages.push({ role: message.role, content: message.content });
    });
    return messages;
}

/** The first line of a question, cut at a word.
 * @param {string} text
 * @returns {string} */
export function titleFrom(text) {
    const line = (text.trim().split("\n")[0] ?? "").replace(/[#*`_>]/g, "").trim();
    const letters = Array.from(line);
    if (letters.length <= TITLE_CHARACTERS_MAX) return line;
    const cut = letters.slice(0, TITLE_CHARACTERS_MAX).join("");
    const space = cut.lastIndexOf(" ");
    return `${space > TITLE_CHARACTERS_MAX / 2 ? cut.slice(0, space) : cut}…`;
}

/** Does the conversation hold all of these words?
 * @param {Conversation} conversation
 * @param {string} query
 * @returns {boolean} */
export function matches(conversation, query) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return true;
    const texts = Object.values(conversation.messages).map((message) => message.content);
    const all = [conversation.title, ...texts].join("\n").toLowerCase();
    return words.every((word) => all.includes(word));
}
