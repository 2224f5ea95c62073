import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { lockFolder } from "./lock.ts";
import { nodeBinary } from "./paths.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "livora-start-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function npmStart(args: readonly string[], env: Record<string, string> = {}) {
  const script = join(import.meta.dirname, "start.ts");
  const options = { encoding: "utf8", env: { ...process.env, LIVORA_DATA_DIR: folder, ...env } } as const;
  return spawnSync(nodeBinary(), [script, ...args], options);
}

async function occupyPort(): Promise<{ port: number; [Symbol.asyncDispose](): Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return { port, [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
}

describe("npm start", { timeout: 60_000 }, () => {
  it("names a port that is in use and the variable that moves it, and starts nothing", async () => {
    await using occupied = await occupyPort();
    const { status, stderr } = npmStart(["--port-base", "29100"], { LIVORA_KINESIS_PORT: String(occupied.port) });
    expect(status).toBe(1);
    expect(stderr).toContain(`${occupied.port} (Kinesis): set LIVORA_KINESIS_PORT to another`);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("says who runs already from the same folder", () => {
    const unlock = lockFolder(folder);
    const { status, stderr } = npmStart([]);
    unlock();
    expect(status).toBe(1);
    expect(stderr).toContain(`Livora already runs from this folder (pid ${process.pid})`);
  });

  it("says what is wrong with an option", () => {
    const { status, stderr } = npmStart(["--port-base", "nine"]);
    expect(status).toBe(1);
    expect(stderr).toContain('--port-base takes a number from 1024 to 65525, not "nine"');
  });

  it("helps", () => {
    const { status, stdout } = npmStart(["--help"]);
    expect(status).toBe(0);
    expect(stdout).toContain("--no-demo");
  });
});
