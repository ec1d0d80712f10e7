/* Every language has every sentence, with the same values in it, and every sentence is used. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const WEB = new URL("../../web/", import.meta.url);
const files = readdirSync(new URL("strings/", WEB));
const names = files.filter((name) => !name.startsWith("later_"));
const tableOf = async (name) => (await import(new URL(`strings/${name}`, WEB))).default;
const languages = {};
for (const name of names) languages[name] = { ...await tableOf(name), ...await tableOf(`later_${name}`) };
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

test("what is fetched later has its words with it, and no word twice", async () => {
    assert.equal(files.length, 2 * names.length);
    const [first, later] = [await tableOf("en.js"), await tableOf("later_en.js")];
    for (const key of Object.keys(later)) assert.ok(!(key in first), `'${key}' is in both`);
    for (const name of names) {
        const other = await tableOf(`later_${name}`);
        assert.deepEqual(Object.keys(other).sort(), Object.keys(later).sort(), name);
    }
    const atOnce = readdirSync(new URL("src/", WEB), { recursive: true }).map(String)
        .filter((name) => name.endsWith(".js") && !name.startsWith("views/"));
    for (const name of atOnce) {
        const text = readFileSync(new URL(`src/${name}`, WEB), "utf8");
        for (const [, key] of text.matchAll(/\bt\("(\w+)"/g)) assert.ok(key in first, `${name}: '${key}' comes too late`);
    }
});

test("every sentence is used somewhere", () => {
    const sources = readdirSync(new URL("src/", WEB), { recursive: true })
        .filter((name) => String(name).endsWith(".js"))
        .map((name) => readFileSync(new URL(`src/${name}`, WEB), "utf8")).join("\n");
    for (const key of Object.keys(english))
        assert.ok(sources.includes(`"${key}"`), `'${key}' is used nowhere`);
});
