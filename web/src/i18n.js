/* Words: every sentence the page says, in the reader's language.
 *
 * strings/LANGUAGE.js maps keys to sentences, strings/later_LANGUAGE.js those of what is fetched later
 * (later_words.js adds them); `{name}` is replaced. A test compares the keys of all
 * languages. The language is the one chosen in the settings, else the first of the browser's that
 * there is, else English. Dates and numbers go through Intl. */

import en from "../strings/en.js";
import zh from "../strings/zh.js";

/** @typedef {keyof typeof en | keyof typeof import("../strings/later_en.js").default} StringKey */

/** @type {Record<string, Record<string, string>>} */
const LANGUAGES = { en: { ...en }, zh: { ...zh } };

let current = "en";

/** @param {readonly string[]} wanted as navigator.languages has them
 * @returns {string} */
export function pickLanguage(wanted) {
    for (const tag of wanted) {
        const language = tag.toLowerCase().split("-")[0];
        if (language in LANGUAGES) return language;
    }
    return "en";
}

/** @param {string} name of a language @param {Record<string, string>} words */
export function addWords(name, words) {
    Object.assign(LANGUAGES[name], words);
}

/** @param {string} chosen "" for the browser's */
export function setLanguage(chosen) {
    current = chosen in LANGUAGES ? chosen : pickLanguage(navigator.languages ?? []);
    document.documentElement.lang = current === "zh" ? "zh-Hans" : current;
}

export const language = () => current;

/**
 * @param {StringKey} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
    return LANGUAGES[current][key].replace(/\{(\w+)\}/g, (whole, name) =>
        name in values ? String(values[name]) : whole);
}

/** @param {number} value @param {number} [digits]
 * @returns {string} */
export function formatNumber(value, digits = 0) {
    return new Intl.NumberFormat(current, { maximumFractionDigits: digits }).format(value);
}

/** @param {number} time in milliseconds
 * @returns {string} */
export function formatTime(time) {
    return new Intl.DateTimeFormat(current, { dateStyle: "medium", timeStyle: "short" }).format(time);
}

/** A day, or an hour of today. @param {number} time in milliseconds
 * @returns {string} */
export function formatDate(time) {
    const isToday = new Date(time).toDateString() === new Date().toDateString();
    return new Intl.DateTimeFormat(current, isToday ? { timeStyle: "short" } : { dateStyle: "medium" })
        .format(time);
}

/** @param {number} bytes
 * @returns {string} */
export function formatBytes(bytes) {
    const units = ["B", "kB", "MB", "GB", "TB"];
    const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
    const value = bytes / 1000 ** step;
    return `${formatNumber(value, step > 2 && value < 100 ? 1 : 0)} ${units[step]}`;
}

/** @param {number} seconds
 * @returns {string} */
export function formatDuration(seconds) {
    const whole = Math.max(0, Math.round(seconds));
    const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
    return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
