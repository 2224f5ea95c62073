import * as fc from "fast-check";
import { expect, test } from "vitest";

import { readCommerce } from "../../../core/curated-event.ts";
import { curatedRows } from "../../../test/support/curated-rows.ts";
import { useWarehouse } from "../../../test/support/use-warehouse.ts";
import type { DailyAggregate } from "../aggregate.ts";
import { query } from "../deps.ts";
import { activity } from "./activity.ts";
import { categoryPerformance, productCategory, productPerformance } from "./product-performance.ts";
import { sessions } from "./sessions.ts";

const { warehouse } = useWarehouse("128MB");

const START = Date.parse("2026-11-21T18:30:00.000Z");
const TYPES = ["product_view", "add_to_cart", "purchase", "page_view", "checkout"];

const line = fc.record(
  {
    product_id: fc.constantFrom("p0", "p1", "p2", 7, ""),
    category: fc.constantFrom("shoes", "hats", null),
    price: fc.constantFrom("12.50", 3, 0.005, "much"),
    quantity: fc.constantFrom(1, 2, "0.5", -1),
  },
  { requiredKeys: [] },
);
const props = fc
  .record(
    {
      one: line,
      items: fc.array(line, { maxLength: 4 }),
      revenue: fc.constantFrom("99.90", 5, -3, "free"),
      currency: fc.constantFrom("INR", "jpy", "KWD", "moon"),
    },
    { requiredKeys: ["one"] },
  )
  .map(({ one, ...rest }) => ({ ...one, ...rest }));

const drawn = fc.record({
  type: fc.constantFrom(...TYPES),
  props,
  /** Some at the same moment: then the place says which was first. */
  second: fc.integer({ min: 0, max: 6 }).map((nth) => nth * 1_700),
  session: fc.option(fc.constantFrom("s0", "s1", "s2")),
  source: fc.option(fc.constantFrom("ads", "mail")),
  country: fc.option(fc.constantFrom("IN", "DE")),
  device: fc.option(fc.constantFrom("mobile", "desktop")),
  isBot: fc.boolean(),
});
type Made = ReturnType<typeof makeDay>[number];

/** A day's events, in the order in which they were acknowledged, which is not that in which they happened. */
function makeDay(events: readonly (typeof drawn extends fc.Arbitrary<infer T> ? T : never)[]) {
  return events.map(({ type, props, second, session, source, country, device, isBot }, place) => ({
    event_id: `e${place}`,
    event_type: type,
    session_id: session,
    source,
    country,
    device,
    is_bot: isBot,
    timestamp: new Date(START + second * 1_000).toISOString().replace("Z", ""),
    ...readCommerce(type, props),
    source_shard: "s",
    source_sequence: String(place + 5),
    source_index: 0,
    place,
  }));
}

async function compute(aggregate: DailyAggregate, events: readonly Made[]): Promise<string[]> {
  return warehouse.use(async (connection) => {
    await connection.run(`CREATE TEMP VIEW events AS ${curatedRows(events)}`);
    const rows = await query(connection, aggregate.select);
    for (const row of rows) expect(Object.keys(row)).toEqual(Object.keys(aggregate.columns));
    return rows.map((row) => Object.values(row).map(asText).join(" | ")).toSorted();
  });
}

/** `2.500000` and 2.5 are the same. */
function asText(value: unknown): string {
  return /^-?\d+(\.\d+)?$/.test(String(value)) ? String(Number(value)) : String(value);
}

const asTable = (rows: Iterable<readonly unknown[]>) => [...rows].map((row) => row.map(asText).join(" | ")).toSorted();

/** Views, carts and purchases of what events name, each event once; units and money of every line. */
function performanceOf(events: readonly Made[], keysOf: (line: Line) => (string | null)[]): string[] {
  const table = new Map<string, { keys: unknown[]; ids: Set<string>[]; units: number; minor: number }>();
  for (const event of events) {
    const nth = TYPES.indexOf(event.event_type);
    if (nth > 2) continue;
    const isPurchase = event.event_type === "purchase";
    for (const one of event.items ?? [event]) {
      const keys = keysOf(one);
      if (keys.includes(null)) continue;
      const earned = isPurchase && one.revenue_minor !== null;
      const currency = earned ? (event.currency ?? "") : "";
      const name = JSON.stringify([...keys, currency]);
      const row = table.get(name) ?? {
        keys: [...keys, currency],
        ids: [new Set(), new Set(), new Set()],
        units: 0,
        minor: 0,
      };
      table.set(name, row);
      row.ids[nth]!.add(event.event_id);
      if (isPurchase) row.units += one.quantity ?? 1;
      if (earned) row.minor += one.revenue_minor!;
    }
  }
  return asTable(
    [...table.values()].map(({ keys, ids, units, minor }) => [...keys, ...ids.map((set) => set.size), units, minor]),
  );
}
type Line = Pick<Made, "product_id" | "category">;

function sessionsOf(events: readonly Made[]): string[] {
  const visits = Map.groupBy(
    events.filter(({ session_id }) => session_id !== null),
    ({ session_id }) => session_id,
  );
  const table = new Map<string, number[]>();
  for (const visit of visits.values()) {
    const ordered = visit.toSorted((a, b) => a.timestamp.localeCompare(b.timestamp) || a.place - b.place);
    const [first] = ordered;
    const isBot = visit.some(({ is_bot }) => is_bot);
    const key = JSON.stringify([first!.source ?? "", first!.country ?? "", first!.device ?? "", isBot]);
    const count = (type: string) => visit.filter(({ event_type }) => event_type === type).length;
    const has = (type: string) => (count(type) > 0 ? 1 : 0);
    const duration = Date.parse(`${ordered.at(-1)!.timestamp}Z`) - Date.parse(`${first!.timestamp}Z`);
    const flags = [1, visit.length > 1 ? 1 : 0, has("product_view"), has("add_to_cart"), has("purchase")];
    const row = [...flags, visit.length, count("purchase"), duration];
    table.set(
      key,
      row.map((value, nth) => value + (table.get(key)?.[nth] ?? 0)),
    );
  }
  return asTable([...table].map(([key, row]) => [...(JSON.parse(key) as unknown[]), ...row]));
}

function activityOf(events: readonly Made[]): string[] {
  const table = new Map<string, number[]>();
  for (const event of events) {
    const isPurchase = event.event_type === "purchase";
    const hour = `${event.timestamp.slice(0, 13)}:00:00Z`;
    const key = JSON.stringify([hour, isPurchase ? (event.currency ?? "") : ""]);
    const is = (type: string) => (event.event_type === type ? 1 : 0);
    const minor = isPurchase ? (event.revenue_minor ?? 0) : 0;
    const row = [1, is("product_view"), is("add_to_cart"), is("purchase"), minor];
    table.set(
      key,
      row.map((value, nth) => value + (table.get(key)?.[nth] ?? 0)),
    );
  }
  return asTable([...table].map(([key, row]) => [...(JSON.parse(key) as unknown[]), ...row]));
}

const CASES: [string, DailyAggregate, (events: readonly Made[]) => string[]][] = [
  ["products", productPerformance, (events) => performanceOf(events, ({ product_id }) => [product_id])],
  ["categories", categoryPerformance, (events) => performanceOf(events, ({ category }) => [category])],
  [
    "a category's products",
    productCategory,
    (events) => performanceOf(events, ({ product_id, category }) => [product_id, category]),
  ],
  ["sessions", sessions, sessionsOf],
  ["hours", activity, activityOf],
];

test.each(CASES)(
  "%s are what counting by hand gives",
  async (_, aggregate, byHand) => {
    await fc.assert(
      fc.asyncProperty(fc.array(drawn, { minLength: 1, maxLength: 25 }), async (events) => {
        const day = makeDay(events);
        expect(await compute(aggregate, day)).toEqual(byHand(day));
      }),
      { numRuns: 60 },
    );
  },
  60_000,
);
