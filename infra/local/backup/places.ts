import { join, relative, resolve, sep } from "node:path";

import { findPostgresAccount, placeForAccount, type PostgresAccount } from "../parts/postgres-account.ts";
import { ROOT } from "../paths.ts";

/** A folder of a stack, and what it is called in a backup; the stack's own folder is "". */
export interface Place {
  folder: string;
  name: string;
}

export interface Places {
  all: Place[];
  /** Whose PostgreSQL's data must be. */
  account: PostgresAccount;
}

/** Where a stack's data lie: mostly all of it under `dir`, but the lake, the outbox and PostgreSQL's data may be elsewhere. */
export async function findPlaces(dir: string, env: NodeJS.ProcessEnv): Promise<Places> {
  const account = await findPostgresAccount();
  const elsewhere: Place[] = [
    { name: "lake", folder: resolve(ROOT, env.LIVORA_LAKE || join(dir, "lake")) },
    { name: "sandbox", folder: resolve(ROOT, env.LIVORA_SANDBOX_DIR || join(dir, "sandbox")) },
    { name: POSTGRES_DATA, folder: placeForAccount(join(dir, POSTGRES_DATA), account) },
  ];
  return { all: [{ name: "", folder: dir }, ...elsewhere.filter(({ folder }) => !isWithin(dir, folder))], account };
}

export const POSTGRES_DATA = join("postgres", "data");

export function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && resolve(way) !== way);
}

/** What belongs to the processes of one start rather than to the data; by its path in a backup. */
const LEFT_OUT = [
  /^logs$/,
  /^(lock|owner|endpoints|restoring)\.json/,
  /^[^/]+\.log$/,
  /^[^/]+\/pid\.json$/,
  /^redis\/redis\.conf$/,
  /^postgres\/(data\.at|data\.new|password)$/,
  /^postgres\/data\/postmaster\.(pid|opts)$/,
  // SQLite makes it anew from the log beside the database.
  /^temporal\/.*-shm$/,
  // Half-written files of the lake.
  /^lake\/_tmp$/,
];

export function isLeftOut(path: string): boolean {
  const name = path.split(sep).join("/");
  return LEFT_OUT.some((pattern) => pattern.test(name));
}
