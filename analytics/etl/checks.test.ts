import { describe, expect, it } from "vitest";

import { isHeld, type PartitionCheck } from "../../core/etl-check.ts";
import { partitionOf } from "../../core/lake.ts";
import { HOUR_MS } from "../../core/time.ts";
import { quote } from "../../platform/warehouse/duckdb.ts";
import { useWarehouse } from "../../test/support/use-warehouse.ts";
import { checkCurated } from "./checks.ts";

const START = Date.parse("2026-11-01T10:00:00.000Z");
const { path: partition } = partitionOf("shop", START);
const { warehouse } = useWarehouse("128MB");

interface Row {
  id: string;
  atMs: number;
  receivedMs: number;
  user: string | null;
  revenue: number | null;
  fault: string | null;
  quantity: number | null;
}

const row = (id: string, other: Partial<Row> = {}): Row => ({
  id,
  atMs: START + 60_000,
  receivedMs: START + 61_000,
  user: "ada",
  revenue: null,
  fault: null,
  quantity: null,
  ...other,
});

const sql = (value: string | number | null) =>
  value === null ? "NULL" : typeof value === "number" ? String(value) : quote(value);

/** Of two sound events, of which the test changes what it is about. */
async function check(
  rows: readonly Row[],
  { raw = 2, sound = 2, ids = 2, elsewhere = [] as string[], nowMs = START + HOUR_MS } = {},
): Promise<PartitionCheck[]> {
  return warehouse.use(async (connection) => {
    const values = rows.map(
      ({ id, atMs, receivedMs, user, revenue, fault, quantity }) =>
        `(${[id, user, fault, revenue, quantity].map(sql).join(", ")}, make_timestamp(${atMs} * 1000), make_timestamp(${receivedMs} * 1000))`,
    );
    await connection.run(`CREATE TEMP TABLE curated AS
      SELECT event_id, timestamp, received_at, user_id::VARCHAR AS user_id, NULL::VARCHAR AS anon_id, NULL::VARCHAR AS session_id,
        revenue_minor::BIGINT AS revenue_minor, revenue_fault::VARCHAR AS revenue_fault, quantity::DECIMAL(18,6) AS quantity,
        NULL::STRUCT(quantity DECIMAL(18,6))[] AS items
      FROM (VALUES ${values.join(", ")}) AS given(event_id, user_id, revenue_fault, revenue_minor, quantity, timestamp, received_at)`);
    const taken = elsewhere.length === 0 ? "WHERE FALSE" : "";
    await connection.run(`CREATE TEMP TABLE elsewhere AS SELECT md5_number_upper(id) AS h1, md5_number_lower(id) AS h2
      FROM (VALUES ${(elsewhere.length === 0 ? [""] : elsewhere).map((id) => `(${quote(id)})`).join(", ")}) AS given(id) ${taken}`);
    return (await checkCurated(connection, { partition, raw, sound, ids, elsewhere: elsewhere.length, nowMs })).checks;
  });
}

const failed = (checks: readonly PartitionCheck[]) =>
  checks.filter(({ ok }) => !ok).map(({ check: name, detail }) => `${name}: ${detail}`);

describe("checks of an hour", () => {
  it("pass where raw = curated + repeated + rejected, and all is as it should be", async () => {
    expect(failed(await check([row("a"), row("b")]))).toEqual([]);
    expect(failed(await check([row("a")], { raw: 4, sound: 4, ids: 2, elsewhere: ["b"] }))).toEqual([]);
    expect(failed(await check([row("a"), row("b", { revenue: 1_290_00, quantity: 2 })], { raw: 3, sound: 3 }))).toEqual(
      [],
    );
  });

  it.each<[string, readonly Row[], Parameters<typeof check>[1], string]>([
    ["a row was lost on the way", [row("a")], {}, "completeness: 1 events too few or too many"],
    ["a row came from nowhere", [row("a"), row("b"), row("c")], {}, "completeness: 1 events too few or too many"],
    ["an event stands there twice", [row("a"), row("a")], {}, "uniqueness: 1 events stand there twice"],
    [
      "another hour keeps the event",
      [row("a"), row("b")],
      { ids: 3, raw: 3, sound: 3, elsewhere: ["b"] },
      "uniqueness: 1 events stand in another hour, too",
    ],
    [
      "an event is of the hour after",
      [row("a"), row("b", { atMs: START + HOUR_MS, receivedMs: START + HOUR_MS })],
      {},
      "ranges: 1 events are not of this hour",
    ],
    [
      "the edge's clock went back",
      [row("a"), row("b", { receivedMs: START - HOUR_MS })],
      {},
      "ranges: 1 events happened after they were received",
    ],
    [
      "an impossible sum",
      [row("a"), row("b", { revenue: 10_000_000_000_000 })],
      {},
      "ranges: 1 events name an impossible sum",
    ],
    [
      "an impossible quantity",
      [row("a"), row("b", { quantity: 10_000_000 })],
      {},
      "ranges: 1 events name an impossible quantity",
    ],
  ])("hold the hour back: %s", async (_, rows, counts, what) => {
    const checks = await check(rows, counts);
    expect(failed(checks)).toEqual([what]);
    expect(isHeld(checks)).toBe(true);
  });

  it.each<[string, readonly Row[], Parameters<typeof check>[1], string]>([
    [
      "a clock that is ahead",
      [row("a"), row("b")],
      { nowMs: START - 2 * HOUR_MS },
      "ranges: 2 events are of a time that has not come",
    ],
    ["a refund", [row("a"), row("b", { revenue: -500 })], {}, "ranges: 1 events name a sum below nothing"],
    ["rows of nothing", [row("a"), row("b")], { raw: 3 }, "completeness: 1 rows lack what every event has"],
    ["an event of nobody", [row("a"), row("b", { user: null })], {}, "references: 1 events belong to nobody"],
    ["no money", [row("a"), row("b", { fault: "amount" })], {}, "money: 1 events name a sum that is no money"],
  ])("say so, and hold nothing back: %s", async (_, rows, counts, what) => {
    const checks = await check(rows, counts);
    expect(failed(checks)).toEqual([what]);
    expect(isHeld(checks)).toBe(false);
  });
});
