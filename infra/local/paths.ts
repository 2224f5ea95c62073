import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** The clone this runs from. */
export const ROOT = resolve(import.meta.dirname, "../..");

/** Where what was found or built is kept: outside the repository, shared by all clones. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env.LIVORA_CACHE) return resolve(env.LIVORA_CACHE);
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), ".cache"), "livora");
}

/** The pinned Node that npm installed; whoever started us may be an older one that cannot run TypeScript. */
export function nodeBinary(): string {
  const pinned = join(ROOT, "node_modules/.bin/node");
  return existsSync(pinned) ? pinned : process.execPath;
}
