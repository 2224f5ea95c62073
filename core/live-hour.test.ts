import * as fc from "fast-check";
import { expect, test } from "vitest";

import { addActivities, addToLiveDay, type LiveDay, readEarned, readLiveHour, withinHour } from "./live-hour.ts";

const START = Date.parse("2026-11-21T10:00:00Z");
const MINUTE = 60_000;

const event = fc.record({
  minute: fc.nat(59),
  event_type: fc.constantFrom("product_view", "add_to_cart", "purchase", "page_view", "constructor"),
  minor: fc.integer({ min: -500, max: 5_000 }),
  currency: fc.constantFrom("INR", "JPY", "XXX"),
  shard: fc.nat(2),
});

test("what was counted by quarters and shards, cut at any quarter, is what counting one by one gives", () => {
  fc.assert(
    fc.property(fc.array(event), fc.nat(4), fc.nat(4), (events, a, b) => {
      const shards: LiveDay[] = [{}, {}, {}];
      for (const { minute, event_type, minor, currency, shard } of events) {
        const timestamp = new Date(START + minute * MINUTE + 59_999).toISOString();
        const earned = event_type === "purchase" ? { currency, minor } : null;
        shards[shard] = addToLiveDay(shards[shard], { timestamp, event_type }, earned);
      }
      const [from, to] = [Math.min(a, b) * 15, Math.max(a, b) * 15];
      const range = [START + from * MINUTE, START + to * MINUTE] as const;
      const inRange = events.filter(({ minute }) => minute >= from && minute < to);
      const count = (type: string) => inRange.filter(({ event_type }) => event_type === type).length;
      const revenue: Record<string, number> = {};
      for (const one of inRange) {
        if (one.event_type === "purchase") revenue[one.currency] = (revenue[one.currency] ?? 0) + one.minor;
      }
      expect(readLiveHour(shards, 9)).toEqual({});
      expect(withinHour(readLiveHour(shards, 10), START, range)).toEqual({
        events: inRange.length,
        product_views: count("product_view"),
        add_to_cart: count("add_to_cart"),
        purchases: count("purchase"),
        revenue,
      });
    }),
  );
});

const bytes = (props: unknown) => Buffer.from(JSON.stringify({ props }));

test("a purchase earns what ETL would read; other events, and what is no JSON, earn nothing", () => {
  const lines = { items: [{ price: "2.50", quantity: 2 }, { price: 1 }], currency: "jpy" };
  expect(readEarned("purchase", bytes({ revenue: "12.30", currency: "inr" }))).toEqual({
    currency: "INR",
    minor: 1_230,
  });
  expect(readEarned("purchase", bytes(lines))).toEqual({ currency: "JPY", minor: 6 });
  expect(readEarned("purchase", bytes({ revenue: "a lot" }))).toBeNull();
  expect(readEarned("purchase", bytes(null))).toBeNull();
  expect(readEarned("purchase", Buffer.from("{"))).toBeNull();
  expect(readEarned("refund", bytes({ revenue: 5 }))).toBeNull();
  expect(addActivities([])).toMatchObject({ events: 0, revenue: {} });
});
