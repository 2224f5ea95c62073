import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { identifyProcess, isRunning } from "./process-identity.ts";

interface Holder {
  pid: number;
  identity: string | null;
}

/** Only one `npm start` may own a data folder. Throws, saying who does. Answers how to let go. */
export function lockFolder(dir: string): () => void {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, "lock.json");
  const holder = readHolder(file);
  if (holder?.identity && isRunning(holder.pid, holder.identity)) {
    throw new Error(
      `Livora already runs from this folder (pid ${holder.pid}): stop it with Ctrl-C, or give this one its own LIVORA_DATA_DIR.`,
    );
  }
  rmSync(file, { force: true });
  const self: Holder = { pid: process.pid, identity: identifyProcess(process.pid) };
  // `wx`: of two that start at the same moment, one fails here.
  writeFileSync(file, JSON.stringify(self), { flag: "wx" });
  return () => {
    if (readHolder(file)?.pid === process.pid) rmSync(file, { force: true });
  };
}

function readHolder(file: string): Holder | null {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Holder;
  } catch {
    return null;
  }
}
