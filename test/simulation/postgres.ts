import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { PGlite } from "@electric-sql/pglite";
import { drizzle } from "drizzle-orm/postgres-js";
import type { Sql } from "postgres";

import type { Database } from "../../platform/postgres/database.ts";
import * as schema from "../../platform/postgres/schema.ts";
import type { Network } from "./network.ts";
import { decodeAnswer, decodeValue, encodeExecute, encodePrepare, type Field, PostgresFailure } from "./wire.ts";

const MIGRATIONS = fileURLToPath(new URL("../../platform/postgres/migrations/", import.meta.url));
/** Those that depend on others first. */
const EMPTIED = [
  "deliveries",
  "activities",
  "journey_runs",
  "contacts",
  "templates",
  "campaign_versions",
  "campaigns",
  "dead_letters",
  "dropped_events",
  "audit_log",
  "clients",
];
const SEEDS_BETWEEN_VACUUMS = 40;

/** PostgreSQL itself, in this process: one connection, no disk. Its `now()` is this realm's, so virtual while that is. */
export interface ModelPostgres {
  /** Of the processes: through the network, with its faults. */
  connect(network: Network): Database;
  /** For whoever stands outside: at once. */
  query(statement: string, params?: readonly unknown[]): Record<string, unknown>[];
  empty(): Promise<void>;
}

let started: Promise<ModelPostgres> | null = null;

const failure = (kind: string) =>
  kind === "refused"
    ? new PostgresFailure("57P01", "terminating connection due to administrator command")
    : Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });

/** Takes seconds the first time, and is the same for all seeds of this realm. */
export function startPostgres(): Promise<ModelPostgres> {
  return (started ??= start());
}

async function start(): Promise<ModelPostgres> {
  const server = await PGlite.create();
  for (const file of readdirSync(MIGRATIONS)
    .filter((name) => name.endsWith(".sql"))
    .toSorted()) {
    // Nothing need outlive this process.
    await server.exec(readFileSync(`${MIGRATIONS}${file}`, "utf8").replaceAll("CREATE TABLE", "CREATE UNLOGGED TABLE"));
  }
  await server.exec("set synchronous_commit = off");
  const execute = createExecutor(server);
  let seeds = 0;
  return {
    connect: (network) => connect(network, execute),
    query: (statement, params = []) => execute(statement, params).objects(),
    async empty() {
      for (const table of EMPTIED) execute(`delete from ${table}`, []);
      if (++seeds % SEEDS_BETWEEN_VACUUMS > 0) return;
      // Not by `execute`: PGlite keeps what it has parsed of raw answers until a statement of its own.
      await server.exec("vacuum");
    },
  };
}

interface Result {
  objects(): Record<string, unknown>[];
  arrays(): unknown[][];
}

type Execute = (statement: string, params: readonly unknown[]) => Result;
type Ask = (statement: string, params: readonly unknown[]) => Promise<Result>;

/** Each statement is prepared once: planning takes ten times as long as running it. */
function createExecutor(server: PGlite): Execute {
  const prepared = new Map<string, { name: string; fields: Field[] }>();
  return (statement, params) => {
    let known = prepared.get(statement);
    if (!known) {
      const name = `s${prepared.size}`;
      const { fields, error } = decodeAnswer(server.execProtocolRawSync(encodePrepare(name, statement)));
      if (error) throw error;
      prepared.set(statement, (known = { name, fields: fields ?? [] }));
    }
    const { fields } = known;
    const { rows, error } = decodeAnswer(server.execProtocolRawSync(encodeExecute(known.name, params)));
    if (error) throw error;
    const arrays = () => rows.map((row) => row.map((value, i) => decodeValue(fields[i]?.type ?? 0, value)));
    const names = fields.map((field) => field.name);
    return {
      arrays,
      objects: () => arrays().map((row) => Object.fromEntries(row.map((value, i) => [names[i], value]))),
    };
  };
}

/** What drizzle uses of its driver. A transaction is made in one moment: only its beginning and its end travel. */
function connect(network: Network, execute: Execute): Database {
  let isInTransaction = false;

  const travelling: Ask = (statement, params) =>
    network.ask(
      "sql",
      () => {
        if (isInTransaction) throw new Error("a transaction is open across time");
        return execute(statement, params);
      },
      failure,
    );
  const atOnce: Ask = async (statement, params) => execute(statement, params);

  async function begin<T>(work: (client: unknown) => Promise<T>): Promise<T> {
    await network.ask("sql", () => undefined, failure);
    isInTransaction = true;
    try {
      execute("begin", []);
      const value = await work(clientOf(atOnce));
      execute("commit", []);
      isInTransaction = false;
      await network.ask("sql", () => undefined, failure);
      return value;
    } catch (error) {
      if (isInTransaction) execute("rollback", []);
      throw error;
    } finally {
      isInTransaction = false;
    }
  }

  function clientOf(run: Ask) {
    return {
      options: { parsers: {}, serializers: {} },
      unsafe(statement: string, params: readonly unknown[] = []) {
        const running = run(statement, params);
        const objects = running.then((result) => result.objects());
        // Whoever wants arrays never looks at this one.
        objects.catch(() => undefined);
        return Object.assign(objects, { values: () => running.then((result) => result.arrays()) });
      },
      begin,
      savepoint: (work: (client: unknown) => Promise<unknown>) => work(clientOf(run)),
    };
  }

  return drizzle(clientOf(travelling) as unknown as Sql, { schema });
}
