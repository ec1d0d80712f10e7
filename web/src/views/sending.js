/* Sending: a file as the body of a request, with how much of it has gone. This is what XMLHttpRequest
 * knows and fetch does not. The browser reads the file from the disk as it goes. */

import { ApiError, failureOf } from "../api.js";

/**
 * @param {string} path @param {Blob} file @param {(bytes: number) => void} onProgress
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>} the reply; an ApiError is thrown
 */
export function sendFile(path, file, onProgress, signal) {
    return new Promise((resolve, reject) => {
        const sending = new XMLHttpRequest();
        sending.open("POST", path);
        sending.upload.onprogress = ({ loaded }) => onProgress(Math.min(loaded, file.size));
        sending.onload = () => {
            const { status, responseText: text } = sending;
            if (status < 200 || status > 299) return void failureOf(new Response(text, { status })).then(reject, reject);
            try {
                resolve(text ? JSON.parse(text) : null);
            } catch (error) {
                reject(error);
            }
        };
        sending.onerror = () => reject(new ApiError("offline", "the connection was lost"));
        sending.onabort = () => reject(new ApiError("request", "stopped"));
        signal?.addEventListener("abort", () => sending.abort());
        sending.send(file);
    });
}
