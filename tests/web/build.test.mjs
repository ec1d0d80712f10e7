/* What is checked before a browser starts: types, the embedding, sizes, the lock file. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const WEB = fileURLToPath(new URL("../../web/", import.meta.url));
const embed = (...options) =>
    execFileSync("python3", [join(WEB, "embed.py"), ...options], { encoding: "utf8" });

test("the types hold", () => {
    const tsc = join(WEB, "node_modules/typescript/bin/tsc");
    const run = spawnSync(process.execPath, [tsc, "-p", join(WEB, "tsconfig.json")], { encoding: "utf8" });
    assert.equal(run.status, 0, run.stdout + run.stderr);
});

test("what the page loads at once stays under 85 kB, all of it under 200 kB", () => {
    const rows = embed("--sizes").trim().split("\n").map((line) => line.trim().split(/\s+/));
    const sum = (chosen) => chosen.reduce((total, [bytes]) => total + Number(bytes), 0);
    const first = sum(rows.filter(([, when]) => when === "first"));
    console.log(`first ${first} bytes, all ${sum(rows)} bytes`);
    assert.ok(rows.length > 12 && first > 50000);
    assert.ok(first < 85000, `first load: ${first} bytes`);
    assert.ok(sum(rows) < 200000, `all: ${sum(rows)} bytes`);
});

test("the sources are of the kind that the joining understands, and parse no strings as markup", () => {
    const names = readdirSync(join(WEB, "src"), { recursive: true }).map(String).filter((name) => name.endsWith(".js"));
    assert.ok(names.length > 30);
    for (const name of names) {
        const text = readFileSync(join(WEB, "src", name), "utf8");
        const code = text.replace(/\/\*[\s\S]*?\*\//g, "");
        assert.doesNotMatch(code, /\/\*/, `${name}: a comment sign in code`);
        assert.doesNotMatch(code, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|dangerously/, name);
        assert.ok(text.split("\n").length <= 320, `${name} is long`);
    }
});

test("embedding is deterministic and leaves no bare import and no inline code", () => {
    const folder = mkdtempSync(join(tmpdir(), "den-embed-"));
    try {
        embed("--c", join(folder, "a.c"), "--folder", join(folder, "site"));
        embed("--c", join(folder, "b.c"));
        assert.ok(readFileSync(join(folder, "a.c")).equals(readFileSync(join(folder, "b.c"))));
        const names = readdirSync(join(folder, "site"), { recursive: true }).map(String);
        for (const name of ["app.js", "later.js", "sw.js"])
            execFileSync(process.execPath, ["--check", join(folder, "site", name)]);
        for (const name of names.filter((one) => one.endsWith(".js"))) {
            const text = readFileSync(join(folder, "site", name), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
            for (const match of text.matchAll(/(?:^|[;}])import\b[^"'();]*["']([^"'\n]+)["']|\bimport\(["']([^"'\n]+)["']\)/gm))
                assert.match(match[1] ?? match[2], /^[./]/, `${name} imports ${match[1] ?? match[2]}`);
        }
        const page = readFileSync(join(folder, "site/index.html"), "utf8");
        assert.match(page, /modulepreload" href="\/lib\/preact\.js/);
        assert.doesNotMatch(page, /modulepreload" href="\/lib\/temml/, "maths is loaded on demand");
        assert.doesNotMatch(page, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
        assert.doesNotMatch(page, /https?:\/\//);
        const worker = readFileSync(join(folder, "site/sw.js"), "utf8");
        assert.match(worker, /"\/app\.js"/);
        assert.doesNotMatch(worker, /FILES|VERSION|"\/(?:api|v1)/);
        const manifest = JSON.parse(readFileSync(join(folder, "site/manifest.webmanifest"), "utf8"));
        for (const { src } of manifest.icons) assert.ok(names.includes(src.slice(1)), src);
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
});

test("the lock file names no registry, and every module is pinned", () => {
    const text = readFileSync(join(WEB, "package-lock.json"), "utf8");
    assert.doesNotMatch(text, /"resolved"/);
    const { packages } = JSON.parse(text);
    for (const [name, one] of Object.entries(packages))
        if (name) assert.match(one.integrity ?? "", /^sha512-/, name);
    const wanted = JSON.parse(readFileSync(join(WEB, "package.json"), "utf8"));
    for (const version of Object.values({ ...wanted.dependencies, ...wanted.devDependencies }))
        assert.match(version, /^\d+\.\d+\.\d+$/);
});
