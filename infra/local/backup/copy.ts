import { constants, copyFileSync, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { isLeftOut, type Place } from "./places.ts";

/** A file that was written this shortly before it was looked at may be written once more within the same tick of its clock. */
const UNTRUSTED_MS = 2_000;

export interface Contents {
  /** Paths in the copy, `lake/raw/…`. */
  files: string[];
  folders: string[];
}

export interface Copy {
  /** Brings the copy up to date: takes over what is new or has changed since the last pass, drops what has gone. */
  pass(): Contents;
}

/**
 * A copy of a stack in several passes: most of it while everything runs, and, once everything stands still, only what
 * has changed since. What vanishes while the first pass looks at it is not an error; what the last one finds is complete.
 */
export function createCopy(places: readonly Place[], target: string): Copy {
  const trusted = new Map<string, string>();
  let earlier: readonly string[] = [];

  function pass(): Contents {
    const found: Contents = { files: [], folders: [] };
    for (const { folder, name } of places) copyFolder(folder, name, found);
    const present = new Set(found.files);
    for (const path of earlier) if (!present.has(path)) rmSync(join(target, path), { force: true });
    earlier = found.files;
    return found;
  }

  function copyFolder(folder: string, name: string, found: Contents): void {
    const entries = ignoringGone(() => readdirSync(folder, { withFileTypes: true }));
    if (!entries) return;
    mkdirSync(join(target, name), { recursive: true, mode: 0o700 });
    if (name !== "") found.folders.push(name);
    for (const entry of entries) {
      const path = join(name, entry.name);
      if (isLeftOut(path)) continue;
      if (entry.isDirectory()) copyFolder(join(folder, entry.name), path, found);
      else if (entry.isFile() && copyFile(join(folder, entry.name), path)) found.files.push(path);
    }
  }

  function copyFile(source: string, path: string): boolean {
    return (
      ignoringGone(() => {
        const nowMs = Date.now();
        const { size, mtimeNs, ctimeNs, ino, mtimeMs } = lstatSync(source, { bigint: true });
        const signature = [size, mtimeNs, ctimeNs, ino].join("/");
        if (trusted.get(path) === signature) return true;
        trusted.delete(path);
        copyFileSync(source, join(target, path), constants.COPYFILE_FICLONE);
        if (nowMs - Number(mtimeMs) > UNTRUSTED_MS) trusted.set(path, signature);
        return true;
      }) ?? false
    );
  }

  return { pass };
}

function ignoringGone<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
