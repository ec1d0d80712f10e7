/* Server: a real `den serve` for the tests, in a home of its own that shares the installed models.
 * DEN_PROGRAM names the program, DEN_TEST_MODEL the model (else the default). */

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PROGRAM = process.env.DEN_PROGRAM ?? join(ROOT, "build/release/den");

function installedModels() {
    const data = process.env.XDG_DATA_HOME ?? join(homedir(), ".local/share");
    return join(process.env.DEN_HOME ?? join(data, "den"), "models");
}

export function freePort() {
    return new Promise((resolve) => {
        const probe = createServer().listen(0, "127.0.0.1", () => {
            const { port } = probe.address();
            probe.close(() => resolve(port));
        });
    });
}

/** @returns {Promise<{ url: string, start(): Promise<void>, kill(): Promise<void>, close(): Promise<void> }>} */
export async function startServer() {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: build it first (./run --help)`);
    const home = mkdtempSync(join(tmpdir(), "den-web-"));
    if (existsSync(installedModels())) symlinkSync(installedModels(), join(home, "models"));
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const model = process.env.DEN_TEST_MODEL ? ["--model", process.env.DEN_TEST_MODEL] : [];
    let child, said = "";

    async function start() {
        said = "";
        child = spawn(PROGRAM, ["serve", "--port", String(port), ...model], {
            env: { ...process.env, DEN_HOME: home, XDG_CONFIG_HOME: join(home, "config") },
            stdio: ["ignore", "pipe", "pipe"],
        });
        child.stdout.on("data", (data) => (said += data));
        child.stderr.on("data", (data) => (said += data));
        for (;;) {
            if (child.exitCode !== null) throw new Error(`den serve ended with ${child.exitCode}: ${said}`);
            const answer = await fetch(`${url}/health`).catch(() => null);
            if (answer?.ok) return;
            await new Promise((resolve) => setTimeout(resolve, 100));
        }
    }
    async function kill() {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = new Promise((resolve) => child.once("exit", resolve));
        child.kill("SIGKILL");
        await ended;
    }
    await start();
    return {
        url, start, kill,
        async close() {
            await kill();
            rmSync(home, { recursive: true, force: true });
        },
    };
}
