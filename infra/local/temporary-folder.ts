import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { endLeftover } from "./process.ts";
import { identifyProcess, isRunning } from "./process-identity.ts";

const PREFIX = "livora-stack-";

/** A folder for a stack that is thrown away afterwards; PostgreSQL's account may pass through it. */
export function makeTemporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  chmodSync(folder, 0o711);
  writeFileSync(
    join(folder, "owner.json"),
    JSON.stringify({ pid: process.pid, identity: identifyProcess(process.pid) }),
  );
  return folder;
}

/** Ends the servers and removes the folders of test runs that were killed and could not do so themselves. */
export async function sweepTemporaryFolders(): Promise<void> {
  const folders = readdirSync(tmpdir()).filter((name) => name.startsWith(PREFIX));
  for (const folder of folders.map((name) => join(tmpdir(), name)).filter(isAbandoned)) {
    // First the supervisor, where there is one: it would bring its parts back.
    await endLeftover(join(folder, "lock.json"), "SIGINT", 30_000);
    const parts = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    await Promise.all(
      parts.map(({ name }) => endLeftover(join(folder, name, "pid.json"), name === "postgres" ? "SIGINT" : "SIGTERM")),
    );
    rmSync(folder, { recursive: true, force: true });
  }
}

function isAbandoned(folder: string): boolean {
  const file = join(folder, "owner.json");
  try {
    if (!existsSync(file)) return false;
    const { pid, identity } = JSON.parse(readFileSync(file, "utf8")) as { pid: number; identity: string };
    return !isRunning(pid, identity);
  } catch {
    return false;
  }
}
