/* Live: the stream of events that keeps every open tab up to date.
 *
 * One stream a tab: what happens to the list, the models, the downloads, and to the one thread that is
 * looked at. The order that loses nothing: subscribe, wait for `hello`, only then fetch; what comes
 * while the fetch is under way is applied behind it. When the stream breaks it is opened again after
 * half a second, one second, two ... up to ten; `onState(false)` says that the program is out of reach.
 * Browsers open six connections to a host, so a tab that is not looked at gives its own back after half
 * a minute and catches up when it is looked at again. */

import { ApiError, request } from "./api.js";
import { createSseParser } from "./sse.js";

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 10000;
const HIDDEN_MS_MAX = 30000;
/* The program sends a comment every 15 s: a stream this quiet is dead. */
const SILENCE_MS_MAX = 45000;

export class Live {
    /**
     * @param {{ onEvent(name: string, data: any): void, onState(isOnline: boolean): void,
     *   onFailure(error: unknown): void }} handlers
     */
    constructor(handlers) {
        this.handlers = handlers;
        this.thread = "";
        this.failures = 0;
        /** @type {AbortController | null} */
        this.controller = null;
        /** @type {ReturnType<typeof setTimeout> | undefined} */
        this.timer = undefined;
        this.isPaused = false;
    }

    start() {
        document.addEventListener("visibilitychange", () => {
            clearTimeout(this.hiding);
            if (document.hidden) this.hiding = setTimeout(() => this.pause(), HIDDEN_MS_MAX);
            else if (this.isPaused || this.failures) this.connect();
        });
        addEventListener("online", () => this.failures && this.connect());
        this.connect();
    }

    /** @type {ReturnType<typeof setTimeout> | undefined} */
    hiding = undefined;

    /** Also hears about this thread from now on; a `hello` follows.
     * @param {string} thread "" for none */
    follow(thread) {
        if (thread === this.thread && this.controller) return;
        this.thread = thread;
        this.connect();
    }

    pause() {
        this.isPaused = true;
        clearTimeout(this.timer);
        this.controller?.abort();
        this.controller = null;
    }

    connect() {
        this.pause();
        this.isPaused = false;
        const controller = new AbortController();
        this.controller = controller;
        this.read(controller).catch((error) => {
            if (controller.signal.aborted) return;
            this.controller = null;
            this.failures++;
            if (!(error instanceof ApiError) || error.kind === "offline") this.handlers.onState(false);
            else this.handlers.onFailure(error);
            const wait = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** (this.failures - 1));
            this.timer = setTimeout(() => this.connect(), wait);
        });
    }

    /** @param {AbortController} controller */
    async read(controller) {
        const query = this.thread ? `?thread=${encodeURIComponent(this.thread)}` : "";
        const response = await request(`/api/events${query}`, { signal: controller.signal });
        const parser = createSseParser((data, name) => {
            if (name === "hello") {
                this.failures = 0;
                this.handlers.onState(true);
            }
            this.handlers.onEvent(name, JSON.parse(data));
        });
        const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
        let silence;
        try {
            for (;;) {
                const quiet = new Promise((_, reject) => {
                    silence = setTimeout(() => reject(new ApiError("offline", "silence")), SILENCE_MS_MAX);
                });
                const piece = /** @type {ReadableStreamReadResult<Uint8Array>} */ (
                    await Promise.race([reader.read(), quiet]));
                clearTimeout(silence);
                if (piece.done) throw new ApiError("offline", "the stream ended");
                if (controller.signal.aborted) return;
                parser.push(piece.value);
            }
        } finally {
            clearTimeout(silence);
            reader.cancel().catch(() => {});
        }
    }
}
