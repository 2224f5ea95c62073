import * as fc from "fast-check";

import type { FunnelEvent } from "../../core/count-funnel.ts";
import { MINUTE_MS } from "../../core/time.ts";
import { quote } from "../../platform/warehouse/duckdb.ts";

const COLUMNS = {
  session_id: "VARCHAR",
  person: "VARCHAR",
  event_type: "VARCHAR",
  ms: "BIGINT",
  source: "VARCHAR",
  country: "VARCHAR",
  device: "VARCHAR",
  cohort: "VARCHAR",
  product_id: "VARCHAR",
  category: "VARCHAR",
  items: [{ product_id: "VARCHAR", category: "VARCHAR" }],
  props: "VARCHAR",
  source_shard: "VARCHAR",
  source_sequence: "VARCHAR",
  source_index: "INTEGER",
};

/** SQL: events as curated rows, as far as funnels read them. Their unit is both session and person. */
export function funnelRows(events: readonly FunnelEvent[]): string {
  const json = quote(JSON.stringify(events.map(toRow)));
  const rows = `SELECT unnest(from_json(${json}, ${quote(JSON.stringify([COLUMNS]))})) AS event`;
  return `(SELECT event.*, make_timestamp(event.ms * 1000) AS timestamp FROM (${rows}))`;
}

function toRow({ unit, at, products, categories, props, shard, sequence, index, ...event }: FunnelEvent) {
  const length = Math.max(products.length, categories.length);
  const items = Array.from({ length }, (_, nth) => ({
    product_id: products[nth] ?? null,
    category: categories[nth] ?? null,
  }));
  const only = length === 1 ? items[0]! : { product_id: null, category: null };
  const place = { source_shard: shard, source_sequence: sequence, source_index: index };
  const rest = { session_id: unit, person: unit, ms: at, props: JSON.stringify(props) };
  return { ...event, ...rest, ...only, items: length > 1 ? items : null, ...place };
}

export const FUNNEL_START = Date.parse("2026-11-21T10:00:00Z");
const orNull = (...texts: string[]) => fc.constantFrom<string | null>(null, ...texts);

/**
 * A few units with few event types, on so few moments that many events share one, many repeat, and many lie at the very edge of a
 * window of whole minutes.
 */
export function funnelEvents(minutes: number, maxLength = 24): fc.Arbitrary<FunnelEvent[]> {
  const moment = fc
    .tuple(fc.integer({ min: -2, max: minutes }), fc.constantFrom(-1, 0, 0, 0, 1))
    .map(([minute, edge]) => FUNNEL_START + minute * MINUTE_MS + edge);
  const event = fc.record({
    unit: fc.constantFrom("a", "b"),
    at: moment,
    event_type: fc.constantFrom("view", "cart", "buy"),
    props: fc.record({ n: fc.integer({ min: 0, max: 3 }) }, { requiredKeys: [] }),
    source: orNull("ads", "mail"),
    country: orNull("IN", "US"),
    device: orNull("mobile"),
    cohort: orNull("2026-10-01", "2026-11-01"),
    products: fc.subarray(["p", "q"]),
    categories: fc.subarray(["x", "y"]),
    shard: fc.constantFrom("s-1", "s-2"),
    sequence: fc.constantFrom("9", "10", "100"),
  });
  // No two events have the same place.
  return fc
    .tuple(fc.array(event, { minLength: maxLength / 2, maxLength }), fc.integer())
    .map(([events, seed]) => events.map((one, nth) => ({ ...one, index: (nth * 7 + Math.abs(seed % 5)) % 31 })));
}
