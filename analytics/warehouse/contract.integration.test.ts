import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sql } from "drizzle-orm";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { countFunnel, type FunnelEvent } from "../../core/count-funnel.ts";
import { CURATED_COLUMNS } from "../../core/curated-event.ts";
import { FUNNEL_UNITS } from "../../core/funnel.ts";
import { MINUTE_MS } from "../../core/time.ts";
import { awsOptions } from "../../platform/aws-options.ts";
import type { Context } from "../../platform/context.ts";
import { createWarehouse, type DuckDBConnection, quote, type Warehouse } from "../../platform/warehouse/duckdb.ts";
import { createDuckDbSql } from "../../platform/warehouse/duckdb-sql.ts";
import { createRedshift } from "../../platform/warehouse/redshift.ts";
import type { SqlRow, SqlWarehouse } from "../../platform/warehouse/sql-warehouse.ts";
import { createIsolatedContext } from "../../test/support/context.ts";
import { FUNNEL_START, funnelEvents } from "../../test/support/funnel-rows.ts";
import { type RedshiftDataServer, startRedshiftDataServer } from "../../test/support/redshift-data-server.ts";
import { askFunnel } from "./funnel.ts";
import { askCohorts, askProducts, toTimestamp } from "./questions.ts";
import { duckDbViews } from "./tables.ts";

const folder = mkdtempSync(join(tmpdir(), "livora-portable-"));
const TYPES: Readonly<Record<string, string>> = { view: "product_view", cart: "add_to_cart", buy: "purchase" };
const schema = `redshift_${randomUUID().replaceAll("-", "")}`;
/** The same ones every time. */
const events = fc.sample(funnelEvents(90, 120), { numRuns: 1, seed: 20261121 })[0]!.map((event, nth) => ({
  ...event,
  unit: `${event.unit}${nth % 7}`,
  event_type: TYPES[event.event_type]!,
  index: nth,
}));
let ctx: Context;
let duckdb: Warehouse;
let server: RedshiftDataServer;
let connection: DuckDBConnection;
let release: () => void;
const warehouses = {} as Record<SqlWarehouse["dialect"], SqlWarehouse>;

beforeAll(async () => {
  ctx = await createIsolatedContext();
  duckdb = createWarehouse({ memoryLimit: "256MB", threads: 1, tempFolder: join(folder, "spill") });
  await new Promise<void>((ready, fail) => {
    duckdb
      .use(async (one) => {
        connection = one;
        ready();
        await new Promise<void>((done) => (release = done));
      })
      .catch(fail);
  });
  await writeCurated();
  for (const view of duckDbViews({
    events: `read_parquet(${quote(join(folder, "events.parquet"))})`,
    links: "links",
  })) {
    await connection.run(view);
  }
  warehouses.duckdb = createDuckDbSql(connection);
  await ctx.db.execute(sql`create schema ${sql.identifier(schema)}`);
  for (const table of ["events", "event_items"]) await copyToPostgres(table);
  server = await startRedshiftDataServer(ctx.config.LIVORA_POSTGRES_URL, schema);
  const target = { database: "livora", workgroupName: "analytics" };
  warehouses.redshift = createRedshift(awsOptions(ctx.config, server.endpoint), target);
});
afterAll(async () => {
  release();
  await duckdb.close();
  await server.stop();
  await ctx.db.execute(sql`drop schema ${sql.identifier(schema)} cascade`);
  await ctx.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A curated file: sessions of people, some of whom are known by their device alone. */
async function writeCurated(): Promise<void> {
  const rows = events.map(({ unit, at, event_type, products, shard, sequence, index }) => ({
    event_id: `e${index}`,
    timestamp: toTimestamp(at),
    event_type,
    session_id: unit,
    anon_id: `device of ${unit}`,
    ...(products.length === 1 && { product_id: products[0] }),
    ...(products.length > 1 && { items: products.map((product_id) => ({ product_id, revenue_minor: 50 })) }),
    ...(event_type === "purchase" && { revenue_minor: 100, currency: "INR" }),
    source_shard: shard,
    source_sequence: sequence,
    source_index: index,
  }));
  await connection.run(
    `CREATE TEMP TABLE curated (${CURATED_COLUMNS.map(([name, type]) => `"${name}" ${type}`).join(", ")})`,
  );
  const columns = Object.fromEntries(
    CURATED_COLUMNS.map(([name, type]) => [
      name,
      name === "items"
        ? [{ product_id: "VARCHAR", category: "VARCHAR", quantity: "DECIMAL(18,6)", revenue_minor: "BIGINT" }]
        : type,
    ]),
  );
  await connection.run(
    `INSERT INTO curated SELECT row.* FROM (SELECT unnest(from_json(${quote(JSON.stringify(rows))}, ${quote(JSON.stringify([columns]))})) AS row)`,
  );
  await connection.run(`COPY curated TO ${quote(join(folder, "events.parquet"))} (FORMAT parquet)`);
  await connection.run(`CREATE TEMP TABLE links AS SELECT anon_id, max('person ' || left(session_id, 1)) AS user_id FROM curated
    WHERE session_id NOT LIKE '%6' GROUP BY anon_id`);
}

const personOf = (unit: string) => (unit.endsWith("6") ? `anon:device of ${unit}` : `user:person ${unit[0]}`);

async function copyToPostgres(table: string): Promise<void> {
  const described = await connection.runAndReadAll(`DESCRIBE ${table}`);
  const columns = described
    .getRowsJson()
    .map(([name, type]) => `"${String(name)}" ${String(type)}`)
    .join(", ");
  const rows = (await connection.runAndReadAll(`FROM ${table}`)).getRowObjectsJson();
  const into = sql`${sql.identifier(schema)}.${sql.identifier(table)}`;
  await ctx.db.execute(sql`create table ${into} (${sql.raw(columns)})`);
  await ctx.db.execute(
    sql`insert into ${into} select * from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as row(${sql.raw(columns)})`,
  );
}

describe.each(["duckdb", "redshift"] as const)("%s", (dialect) => {
  const ask: SqlWarehouse["ask"] = (...question) => warehouses[dialect].ask(...question);

  test("values of every type, and none", async () => {
    const rows =
      await ask(`SELECT CAST(7 AS BIGINT) AS whole, CAST(1.5 AS DECIMAL(10,2)) AS money, CAST(0.5 AS DOUBLE PRECISION) AS half,
      CAST('2026-11-21 10:00:00' AS TIMESTAMP) AS moment, CAST('2026-11-21' AS DATE) AS day, 1 = 1 AS yes, CAST(NULL AS VARCHAR) AS none, 'it''s :no' AS words`);
    const moment = "2026-11-21 10:00:00";
    expect(rows).toEqual([
      { whole: 7, money: "1.50", half: 0.5, moment, day: "2026-11-21", yes: true, none: null, words: "it's :no" },
    ]);
  });

  test("a parameter is a value, whatever it says", async () => {
    const word = "'; DROP TABLE events; -- :word";
    const statement = "SELECT CAST(:word AS VARCHAR) AS word, CAST(:number AS INTEGER) + 1 AS next WHERE :word = :word";
    expect(await ask(statement, { parameters: { word, number: "41" } })).toEqual([{ word, next: 42 }]);
    await expect(ask(statement, { parameters: { word } })).rejects.toMatchObject({ code: "invalid" });
  });

  test("an answer of many pages is whole, and in order", async () => {
    const rows = await ask("SELECT event_id FROM events ORDER BY LENGTH(event_id), event_id");
    expect(rows.map((row) => row["event_id"])).toEqual(events.map((_, nth) => `e${nth}`));
  });

  test("a statement that is wrong says why", async () => {
    await expect(ask("SELECT nothing FROM nowhere")).rejects.toMatchObject({ code: "invalid", message: /nowhere/ });
  });

  test("what takes too long, or is given up, ends", async () => {
    const pairs = "events AS a, events AS b, events AS c, events AS d, events AS e, events AS f";
    const endless = `SELECT COUNT(*) AS n FROM ${pairs} WHERE LENGTH(a.event_id || b.event_id || c.event_id || d.event_id || e.event_id || f.event_id) < 0`;
    await expect(ask(endless, { timeoutMs: 100 })).rejects.toMatchObject({ code: "unavailable" });
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("given up")), 100);
    await expect(ask(endless, { signal: stop.signal })).rejects.toThrow("given up");
    expect(await ask("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  test.each(FUNNEL_UNITS)("a funnel by %s counts what trying out every chain counts", async (unit) => {
    const steps = ["product_view", "add_to_cart", "purchase"].map((event_type) => ({ event_type, conditions: [] }));
    let reached = 0;
    const theirs: FunnelEvent[] =
      unit === "session" ? events : events.map((event) => ({ ...event, unit: personOf(event.unit) }));
    for (const [from, minutes] of [
      [-2, 200],
      [10, 30],
      [50, 1],
    ] as const) {
      const range = { start: FUNNEL_START + from * MINUTE_MS, end: FUNNEL_START + (from + minutes) * MINUTE_MS };
      const funnel = { unit, window_ms: 12 * MINUTE_MS, steps };
      const question = askFunnel(funnel, range);
      const [row = {}] = await ask(question.sql, question);
      const counted = steps.map((_, nth) => row[`step_${nth + 1}`]);
      expect(counted).toEqual(countFunnel(funnel, theirs, range).steps);
      reached += Number(counted.at(-1));
    }
    // Else it would have compared zeros.
    expect(reached).toBeGreaterThan(0);
  });

  test("products: each event once, each line's money", async () => {
    const range = { start: "2026-11-21T10:00:00Z", end: "2026-11-21T11:00:00Z" };
    const within = events.filter(({ at }) => at >= Date.parse(range.start) && at < Date.parse(range.end));
    const wanted: SqlRow[] = [];
    for (const product_id of ["p", "q"]) {
      const about = within.filter(({ products }) => products.includes(product_id));
      const [views, add_to_cart, purchases] = Object.values(TYPES).map((type) =>
        about.filter((event) => event.event_type === type),
      );
      const money = purchases!.reduce((sum, { products }) => sum + (products.length > 1 ? 50 : 100), 0);
      const none = { views: 0, add_to_cart: 0, purchases: 0, revenue_minor: 0 };
      wanted.push({ product_id, currency: "", ...none, views: views!.length, add_to_cart: add_to_cart!.length });
      wanted.push({ product_id, currency: "INR", ...none, purchases: purchases!.length, revenue_minor: money });
    }
    const question = askProducts(range);
    expect(await ask(question.sql, question)).toEqual(wanted);
  });

  test("cohorts: who came in which month, and bought in which", async () => {
    const buyers = new Set(
      events.filter(({ event_type }) => event_type === "purchase").map(({ unit }) => personOf(unit)),
    );
    const question = askCohorts({ start: "2026-11-01T00:00:00Z", end: "2026-12-01T00:00:00Z" });
    expect(await ask(question.sql, question)).toEqual([
      { cohort: "2026-11-01", month: "2026-11-01", people: buyers.size },
    ]);
  });
});

describe("Redshift's Data API", () => {
  test("a statement that is handed in twice under one token runs once; trouble on the way is none", async () => {
    const before = server.statements;
    const token = randomUUID();
    server.failNext(2);
    for (let time = 0; time < 2; time++)
      expect(await warehouses.redshift.ask("SELECT 1 AS one", { token })).toEqual([{ one: 1 }]);
    expect(server.statements).toBe(before + 1);
  });

  test("a service that stays away is unavailable, and a database that is not there is at fault", async () => {
    server.failNext(3);
    await expect(warehouses.redshift.ask("SELECT 1 AS one")).rejects.toMatchObject({ code: "unavailable" });
    server.failNext(0);
    const other = createRedshift(awsOptions(ctx.config, server.endpoint), {
      database: "other",
      workgroupName: "analytics",
    });
    await expect(other.ask("SELECT 1 AS one")).rejects.toMatchObject({ code: "invalid" });
  });

  test("what nobody waits for any more is cancelled", async () => {
    const before = server.calls["CancelStatement"] ?? 0;
    await expect(warehouses.redshift.ask("SELECT pg_sleep(20)", { timeoutMs: 50 })).rejects.toMatchObject({
      code: "unavailable",
    });
    expect(server.calls["CancelStatement"]).toBe(before + 1);
  });
});
