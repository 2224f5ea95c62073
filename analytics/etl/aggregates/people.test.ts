import { expect, test } from "vitest";

import { quote } from "../../../platform/warehouse/duckdb.ts";
import { useWarehouse } from "../../../test/support/use-warehouse.ts";
import type { DailyAggregate } from "../aggregate.ts";
import { type Row, query } from "../deps.ts";
import { personDays } from "./person-days.ts";
import { purchases } from "./purchases.ts";

const { warehouse } = useWarehouse("128MB");

type Event = Record<string, string | boolean | null>;

/** What the aggregate makes of a day with these events. */
function aggregate({ select, columns }: DailyAggregate, events: readonly Event[]): Promise<Row[]> {
  return warehouse.use(async (connection) => {
    await connection.run(`CREATE TEMP VIEW events AS ${events.map(toSelect).join(" UNION ALL ")}`);
    const rows = await query(connection, `SELECT * FROM (${select}) ORDER BY ALL`);
    for (const row of rows) expect(Object.keys(row)).toEqual(Object.keys(columns));
    return rows;
  });
}

/** The columns of a curated row that are read here. */
function toSelect(event: Event): string {
  const all = {
    event_type: "purchase",
    user_id: "u",
    order_id: null,
    currency: null,
    revenue_minor: null,
    source: null,
    country: null,
    device: null,
  };
  const values = Object.entries({ ...all, is_bot: false, ...event }).map(([name, value]) => {
    if (name === "timestamp") return `TIMESTAMP ${quote(String(value))} AS "timestamp"`;
    const type = name === "revenue_minor" ? "BIGINT" : typeof value === "boolean" ? "BOOLEAN" : "VARCHAR";
    return `CAST(${value === null ? "NULL" : quote(String(value))} AS ${type}) AS ${name}`;
  });
  return `SELECT ${values.join(", ")}`;
}

test("every purchase with its money, to the millisecond; what names none earns nothing; other events are none", async () => {
  const money = { currency: "INR", revenue_minor: "9007199254740991" };
  const rows = await aggregate(purchases, [
    { event_id: "a", person: "user:o'x", timestamp: "2026-11-21 23:59:59.987", order_id: "o-1", ...money },
    { event_id: "b", person: "anon:x", timestamp: "2026-11-21 00:00:00", source: "ads", is_bot: true },
    { event_id: "c", person: "anon:x", timestamp: "2026-11-21 10:00:00", event_type: "product_view" },
  ]);
  expect(rows).toEqual([
    { event_id: "a", person: "user:o'x", order_id: "o-1", at: "2026-11-21T23:59:59.987Z", ...money, source: null },
    {
      event_id: "b",
      person: "anon:x",
      order_id: null,
      at: "2026-11-21T00:00:00.000Z",
      currency: "",
      revenue_minor: "0",
      source: "ads",
    },
  ]);
});

const at = (time: string) => ({ timestamp: `2026-11-21 ${time}` });

test("who was there: counted, with the last time and where they came from first and last; machines without a log-in are nobody", async () => {
  const rows = await aggregate(personDays, [
    { event_id: "1", person: "user:a", ...at("10:00:00"), source: "ads", country: "IN" },
    { event_id: "2", person: "user:a", ...at("11:00:00"), source: "mail", country: "US", device: "mobile" },
    { event_id: "3", person: "user:a", ...at("12:00:00.5"), event_type: "page_view" },
    { event_id: "4", person: "anon:bot", user_id: null, ...at("12:00:00"), is_bot: true },
    { event_id: "5", person: "user:server", ...at("12:00:00"), is_bot: true },
  ]);
  expect(rows).toEqual([
    {
      person: "user:a",
      events: "3",
      last_at: "2026-11-21T12:00:00.500Z",
      last_source: "mail",
      source: "ads",
      country: "IN",
      device: "",
    },
    {
      person: "user:server",
      events: "1",
      last_at: "2026-11-21T12:00:00.000Z",
      last_source: null,
      source: "",
      country: "",
      device: "",
    },
  ]);
});
