import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { stackConfig } from "../../test/support/stack-config.ts";
import { createLogger } from "../logger.ts";
import { connectPostgres } from "./database.ts";
import { migrate } from "./migrate.ts";
import { forClient } from "./tenant.ts";

const silent = createLogger("test", { LIVORA_LOG_LEVEL: "silent" });
const config = stackConfig();
const run = crypto.randomUUID().slice(0, 8);
const ours = `ours-${run}`;
const theirs = `theirs-${run}`;
let owner: Sql;
let tenant: Sql;

beforeAll(async () => {
  // Several at once, as services that start together do.
  await Promise.all([1, 2, 3].map(() => migrate(config.LIVORA_POSTGRES_URL, silent)));
  owner = postgres(config.LIVORA_POSTGRES_URL, { max: 2, onnotice: () => {} });
  tenant = postgres(config.LIVORA_POSTGRES_TENANT_URL, { max: 1, onnotice: () => {} });
  for (const client of [ours, theirs])
    for (const table of await tablesInOrder(owner)) await insertRow(owner, table, client);
});
afterAll(async () => {
  // Other tests on the same database sweep for runs that were never started, among others.
  for (const table of (await tablesInOrder(owner)).toReversed()) {
    await owner`delete from ${owner(table)} where ${owner(clientColumn(table))} in ${owner([ours, theirs])}`;
  }
  await owner.end();
  await tenant.end();
});

test("the second migration changes nothing", async () => {
  const before = await owner`select polrelid, polname, oid from pg_policy order by 1, 2`;
  await migrate(config.LIVORA_POSTGRES_URL, silent);
  expect(await owner`select polrelid, polname, oid from pg_policy order by 1, 2`).toEqual(before);
});

describe("the tenant role, in every table there is", async () => {
  const tables = await withMigrated(config.LIVORA_POSTGRES_URL, tableNames);

  test("all of them are looked at", () =>
    expect(tables).toEqual(expect.arrayContaining(["clients", "dead_letters", "lake_files", "analytics.builds"])));

  test.each(tables)("%s: row-level security is on and forced", async (table) => {
    const [flags] = await owner`
      select relrowsecurity, relforcerowsecurity from pg_class where oid = ${table}::regclass`;
    expect(flags).toEqual({ relrowsecurity: true, relforcerowsecurity: true });
  });

  test.each(tables)("%s: nothing is seen by who is bound to no client", async (table) => {
    expect(await clientsSeen(tenant, table)).toEqual([]);
  });

  test.each(tables)("%s: only the bound client's rows are seen", async (table) => {
    const seen = await tenant.begin(async (sql) => {
      await sql`select set_config('app.client_id', ${ours}, true)`;
      return clientsSeen(sql, table);
    });
    expect(seen).toEqual([ours]);
  });

  test.each(tables)("%s: no row of another client can be written", async (table) => {
    const attempt = tenant.begin(async (sql) => {
      await sql`select set_config('app.client_id', ${ours}, true)`;
      await insertRow(sql, table, theirs, crypto.randomUUID());
    });
    await expect(attempt).rejects.toThrow(/row-level security|permission denied/);
  });

  test.each(tables)("%s: the owner sees both", async (table) => {
    const seen = await clientsSeen(owner, table);
    expect(seen).toEqual(expect.arrayContaining([ours, theirs]));
  });
});

test("forClient binds its transaction and nothing after it", async () => {
  const { db, close } = connectPostgres(config.LIVORA_POSTGRES_TENANT_URL, silent, 1);
  try {
    const seen = await forClient(db, ours, (tx) => tx.query.clients.findMany());
    expect(seen.map((client) => client.id)).toEqual([ours]);
    expect(await db.query.clients.findMany()).toEqual([]);
    // What a client may change it may not hand to another.
    const moved = forClient(db, ours, (tx) => tx.execute(`update campaigns set client_id = '${theirs}'`));
    await expect(moved).rejects.toMatchObject({ cause: { message: expect.stringContaining("row-level security") } });
  } finally {
    await close();
  }
});

async function withMigrated<T>(url: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  await migrate(url, silent);
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end();
  }
}

async function tableNames(sql: Sql): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select oid::regclass::text as name from pg_class
    where relnamespace::regnamespace::text in ('public', 'analytics') and relkind in ('r', 'p', 'm', 'v') order by 1`;
  return rows.map((row) => row.name);
}

function clientColumn(table: string): string {
  return table === "clients" ? "id" : "client_id";
}

/** Those that others refer to come first. */
async function tablesInOrder(sql: Sql): Promise<string[]> {
  const ofCampaigns = ["campaigns", "campaign_versions", "journey_runs"];
  const first = ["clients", ...ofCampaigns, "contacts", "pipelines", "pipeline_stages", "companies", "deals"];
  return [...first, ...(await tableNames(sql)).filter((name) => !first.includes(name))];
}

async function clientsSeen(sql: Sql | postgres.TransactionSql, table: string): Promise<string[]> {
  const column = clientColumn(table);
  const rows = await sql<{ client: string }[]>`
    select distinct ${sql(column)} as client from ${sql(table)} where ${sql(column)} in ${sql([ours, theirs])} order by 1`;
  return rows.map((row) => row.client);
}

/** A row with something in each column that must have something, whatever columns the table has. */
async function insertRow(
  sql: Sql | postgres.TransactionSql,
  table: string,
  client: string,
  seed = client,
): Promise<void> {
  const columns = await sql<{ name: string; type: string }[]>`
    select attname as name, format_type(atttypid, null) as type from pg_attribute
    where attrelid = ${table}::regclass and attnum > 0 and not attisdropped
      and (attname = 'client_id' or (attnotnull and not atthasdef and attidentity = ''))`;
  const values = columns.map(({ name, type }): [string, string] => [name, valueFor(table, name, type, client, seed)]);
  const names = values.map(([name]) => `"${name}"`).join(", ");
  const places = values.map((_, at) => `$${at + 1}`).join(", ");
  await sql.unsafe(
    `insert into ${table} (${names}) values (${places})`,
    values.map(([, value]) => value),
  );
}

function valueFor(table: string, name: string, type: string, client: string, seed: string): string {
  if (name === "client_id" || (table === "clients" && name === "id")) return client;
  if (name === "run_id" || (table === "journey_runs" && name === "id")) return idOf(client);
  if (type === "uuid") return idOf(seed);
  if (type === "jsonb") return "{}";
  if (type === "text[]") return "{a}";
  if (type === "bytea") return "\\x00";
  if (type.startsWith("timestamp") || type === "date") return "2026-11-21T10:00:00Z";
  if (["integer", "bigint", "numeric", "double precision"].includes(type)) return "1";
  if (type === "boolean") return "true";
  if (name === "pipeline_id" || table === "pipelines") return `pipeline-${seed}`;
  return name === "campaign_id" || name === "id" ? "campaign" : `${name}-${seed}`;
}

const ids = new Map<string, string>();
function idOf(seed: string): string {
  if (!ids.has(seed)) ids.set(seed, crypto.randomUUID());
  return ids.get(seed)!;
}
