/* Every language has every sentence, with the same values in it, and every sentence is used. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const WEB = new URL("../../web/", import.meta.url);
const names = readdirSync(new URL("strings/", WEB));
const languages = Object.fromEntries(await Promise.all(names.map(async (name) =>
    [name, (await import(new URL(`strings/${name}`, WEB))).default])));
const english = languages["en.js"];
const valuesOf = (sentence) => (sentence.match(/\{\w+\}/g) ?? []).sort();

test("all languages have the keys of English", () => {
    assert.ok(names.length >= 2);
    for (const name of names)
        assert.deepEqual(Object.keys(languages[name]).sort(), Object.keys(english).sort(), name);
});

test("translations use the same values and are not empty", () => {
    for (const name of names)
        for (const [key, sentence] of Object.entries(languages[name])) {
            assert.notEqual(sentence.trim(), "", `${name}: ${key}`);
            assert.deepEqual(valuesOf(sentence), valuesOf(english[key]), `${name}: ${key}`);
        }
});

test("every sentence is used somewhere", () => {
    const sources = readdirSync(new URL("src/", WEB), { recursive: true })
        .filter((name) => String(name).endsWith(".js"))
        .map((name) => readFileSync(new URL(`src/${name}`, WEB), "utf8")).join("\n");
    for (const key of Object.keys(english))
        assert.ok(sources.includes(`"${key}"`), `'${key}' is used nowhere`);
});
