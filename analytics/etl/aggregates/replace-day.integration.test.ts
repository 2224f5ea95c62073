import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import type { Context } from "../../../platform/context.ts";
import { createWarehouse, quote, type Warehouse } from "../../../platform/warehouse/duckdb.ts";
import { createTestContext } from "../../../test/support/context.ts";
import { PERSON_DAYS } from "./person-days.ts";
import { PURCHASES } from "./purchases.ts";
import { type DayAggregate, replaceDay } from "./replace-day.ts";

const folder = mkdtempSync(join(tmpdir(), "livora-days-"));
let ctx: Context;
let warehouse: Warehouse;
beforeAll(() => {
  ctx = createTestContext();
  warehouse = createWarehouse({ memoryLimit: "256MB", threads: 1, tempFolder: join(folder, "spill") });
});
afterAll(async () => {
  await warehouse.close();
  await ctx.close();
  rmSync(folder, { recursive: true, force: true });
});

const DAY = "2026-11-21";
/** Awkward on purpose: everything on the way is text. */
const ODD = `user:o'"\\{},\t\u{1F600}`;

/** The columns of a curated row that are read here. */
function row(event: Record<string, string | number | boolean | null>): string {
  const all = {
    event_type: "purchase",
    user_id: "u",
    order_id: null,
    currency: null,
    revenue_minor: null,
    source: null,
    is_bot: false,
  };
  const values = Object.entries({ ...all, ...event }).map(([name, value]) => {
    if (name === "timestamp") return `TIMESTAMP ${quote(String(value))} AS "timestamp"`;
    const type = name === "revenue_minor" ? "BIGINT" : typeof value === "boolean" ? "BOOLEAN" : "VARCHAR";
    return `CAST(${value === null ? "NULL" : quote(String(value))} AS ${type}) AS ${name}`;
  });
  return `SELECT ${values.join(", ")}`;
}

function replace(clientId: string, aggregate: DayAggregate, events: string, day = DAY): Promise<number> {
  return warehouse.use((connection) =>
    ctx.db.transaction((tx) => replaceDay(tx, connection, aggregate, { clientId, day }, events)),
  );
}

const at = (time: string) => ({ timestamp: `2026-11-21 ${time}` });
const clientNamed = () => `days-${crypto.randomUUID()}`;

test("purchases of a day: all of them, with their money, to the millisecond; and again the same", async () => {
  const clientId = clientNamed();
  const events = `(${[
    row({
      event_id: "a",
      person: ODD,
      timestamp: "2026-11-21 23:59:59.987",
      order_id: "o-1",
      currency: "INR",
      revenue_minor: "9007199254740991",
    }),
    row({ event_id: "b", person: "anon:x", timestamp: "2026-11-21 00:00:00", source: "ads", is_bot: true }),
    row({ event_id: "c", person: "anon:x", timestamp: "2026-11-21 10:00:00", event_type: "product_view" }),
  ].join(" UNION ALL ")})`;
  const read = () =>
    ctx.db.query.purchases.findMany({
      where: (table, { eq }) => eq(table.client_id, clientId),
      orderBy: (table) => table.event_id,
    });
  expect(await replace(clientId, PURCHASES, events)).toBe(2);
  const first = await read();
  expect(first.map((one) => ({ ...one, at: new Date(one.at).toISOString() }))).toEqual([
    {
      client_id: clientId,
      day: DAY,
      event_id: "a",
      person: ODD,
      order_id: "o-1",
      at: "2026-11-21T23:59:59.987Z",
      currency: "INR",
      revenue_minor: 9_007_199_254_740_991,
      source: null,
    },
    {
      client_id: clientId,
      day: DAY,
      event_id: "b",
      person: "anon:x",
      order_id: null,
      at: "2026-11-21T00:00:00.000Z",
      currency: "",
      revenue_minor: 0,
      source: "ads",
    },
  ]);
  expect(await replace(clientId, PURCHASES, events)).toBe(2);
  expect(await read()).toEqual(first);
  // Another day of the same client, and the same day of another one, stay as they are.
  await replace(
    clientId,
    PURCHASES,
    `(${row({ event_id: "d", person: "p", timestamp: "2026-11-22 10:00:00" })})`,
    "2026-11-22",
  );
  await replace(clientNamed(), PURCHASES, `(${row({ event_id: "a", person: "p", timestamp: "2026-11-21 10:00:00" })})`);
  expect((await read()).map((one) => one.event_id)).toEqual(["a", "b", "d"]);
  expect(
    await replace(
      clientId,
      PURCHASES,
      `(${row({ event_id: "a", person: "p", timestamp: "2026-11-21 10:00:00" })} LIMIT 0)`,
    ),
  ).toBe(0);
  expect((await read()).map((one) => one.event_id)).toEqual(["d"]);
});

test("who was there: counted, with the last time and where they last came from; machines without a log-in are nobody", async () => {
  const clientId = clientNamed();
  const events = `(${[
    row({ event_id: "1", person: ODD, ...at("10:00:00"), source: "ads" }),
    row({ event_id: "2", person: ODD, ...at("11:00:00"), source: "mail" }),
    row({ event_id: "3", person: ODD, ...at("12:00:00.5"), event_type: "page_view" }),
    row({ event_id: "4", person: "anon:bot", user_id: null, ...at("12:00:00"), is_bot: true }),
    row({ event_id: "5", person: "user:server", ...at("12:00:00"), is_bot: true }),
  ].join(" UNION ALL ")})`;
  expect(await replace(clientId, PERSON_DAYS, events)).toBe(2);
  const rows = await ctx.db.query.personDays.findMany({ where: (table, { eq }) => eq(table.client_id, clientId) });
  const found = rows.map((one) => [one.person, one.events, new Date(one.last_at).toISOString(), one.last_source]);
  expect(found.toSorted()).toEqual(
    [
      [ODD, 3, "2026-11-21T12:00:00.500Z", "mail"],
      ["user:server", 1, "2026-11-21T12:00:00.000Z", null],
    ].toSorted(),
  );
});

test("a day of many people goes over in pages", async () => {
  const clientId = clientNamed();
  const events = `(SELECT 'e' || i AS event_id, 'user:' || i AS person, 'u' AS user_id, 'page_view' AS event_type,
    TIMESTAMP '2026-11-21 10:00:00' AS "timestamp", NULL::VARCHAR AS source, FALSE AS is_bot FROM range(25001) AS r(i))`;
  expect(await replace(clientId, PERSON_DAYS, events)).toBe(25_001);
  const rows = await ctx.db.query.personDays.findMany({ where: (table, { eq }) => eq(table.client_id, clientId) });
  expect(new Set(rows.map((one) => one.person)).size).toBe(25_001);
});
