import { execFile } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import postgres from "postgres";

import { commandLineOf } from "../process-identity.ts";
import { signalProcess, startProcess } from "../process.ts";
import { logSizeOf, type Part, type PartOptions, pidFileOf, toPart } from "./part.ts";
import { findPostgresAccount, placeForAccount, type PostgresAccount, reachableBinaries } from "./postgres-account.ts";

const SUPERUSER = "postgres";
const PASSWORD = "livora";

export function postgresAdminUrl(port: number): string {
  return `postgres://${SUPERUSER}:${PASSWORD}@127.0.0.1:${port}/postgres`;
}

/** PostgreSQL from the registry package, as an account that is not root. `url` is the superuser's. */
export async function startPostgres(options: PartOptions): Promise<Part> {
  mkdirSync(options.dir, { recursive: true });
  const account = await findPostgresAccount();
  const binaries = await reachableBinaries(account);
  const data = placeForAccount(join(options.dir, "data"), account);
  if (!existsSync(join(data, "PG_VERSION"))) await initialise(binaries, data, account);
  await endStalePostmaster(data);
  const logFrom = logSizeOf(options.log);
  const child = await startProcess({
    name: "postgres",
    command: join(binaries, "postgres"),
    args: ["-D", data, "-p", String(options.port), ...flags()],
    cwd: "/",
    ...account,
    log: options.log,
    pidFile: pidFileOf(options.dir),
    stopSignal: "SIGINT",
  });
  const url = postgresAdminUrl(options.port);
  const isReady = (withinMs: number) => answersSelect(url, withinMs);
  const speak = (withinMs: number) => isReady(withinMs).catch(acceptRefusal);
  return toPart(child, url, options, isReady, logFrom, speak);
}

function flags(): string[] {
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: 200,
    // Clients that vanish without a word would keep their connections for two hours.
    tcp_keepalives_idle: 10,
    tcp_keepalives_interval: 5,
    tcp_keepalives_count: 3,
    timezone: "UTC",
  };
  return Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`]);
}

/** Into a folder beside it first, so that an interrupted initdb is not taken for a database. */
async function initialise(binaries: string, data: string, account: PostgresAccount): Promise<void> {
  const fresh = `${data}.new`;
  rmSync(fresh, { recursive: true, force: true });
  rmSync(data, { recursive: true, force: true });
  mkdirSync(dirname(fresh), { recursive: true });
  mkdirSync(fresh, { mode: 0o700 });
  const passwordFile = join(dirname(fresh), "password");
  writeFileSync(passwordFile, `${PASSWORD}\n`);
  if (account.uid !== undefined && account.gid !== undefined) {
    for (const path of [dirname(fresh), fresh, passwordFile]) chownSync(path, account.uid, account.gid);
  }
  chmodSync(passwordFile, 0o600);
  try {
    const args = [
      "-D",
      fresh,
      "-U",
      SUPERUSER,
      "--auth=scram-sha-256",
      `--pwfile=${passwordFile}`,
      "--locale=C",
      "--encoding=UTF8",
    ];
    await promisify(execFile)(join(binaries, "initdb"), args, { ...account, cwd: "/" });
    renameSync(fresh, data);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/**
 * A postmaster that outlived its supervisor, or the backends of one that was killed, would keep us out. `postmaster.pid`
 * names it; it is ended only where its command line names our folder.
 */
async function endStalePostmaster(data: string): Promise<void> {
  const file = join(data, "postmaster.pid");
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, "utf8").split("\n", 1)[0]);
  const isOurs = () => pid > 0 && commandLineOf(pid).includes(data);
  for (const [signal, patienceMs] of [
    ["SIGINT", 10_000],
    ["SIGQUIT", 5_000],
    ["SIGKILL", 5_000],
  ] as const) {
    if (!isOurs()) break;
    signalProcess(pid, signal);
    const deadline = Date.now() + patienceMs;
    while (isOurs() && Date.now() < deadline) await sleep(50);
  }
  // The number may belong to someone else by now, and PostgreSQL would refuse to start for it.
  if (!isOurs()) rmSync(file, { force: true });
}

/** Who is told "too many clients" or "starting up" has been answered. */
function acceptRefusal(error: unknown): true {
  if (error instanceof postgres.PostgresError) return true;
  throw error;
}

async function answersSelect(url: string, withinMs: number): Promise<boolean> {
  const sql = postgres(url, { max: 1, connect_timeout: withinMs / 1000, onnotice: () => {} });
  try {
    await sql`select 1`;
    return true;
  } finally {
    await sql.end({ timeout: 1 });
  }
}
