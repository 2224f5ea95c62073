import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Condition } from "../../core/condition.ts";
import { countFunnel, type FunnelEvent } from "../../core/count-funnel.ts";
import { type Funnel, FUNNEL_GROUPS, FUNNEL_UNITS } from "../../core/funnel.ts";
import { MINUTE_MS } from "../../core/time.ts";
import { FUNNEL_START, funnelEvents, funnelRows } from "../../test/support/funnel-rows.ts";
import { useWarehouse } from "../../test/support/use-warehouse.ts";
import { countFunnelSql, type FunnelRange } from "./funnel-sql.ts";

const { warehouse } = useWarehouse();

async function count(funnel: Funnel, events: readonly FunnelEvent[], range: FunnelRange) {
  return warehouse.use(async (connection) => {
    const run = async (asked: Funnel) => {
      const rows = await connection.runAndReadAll(countFunnelSql(asked, funnelRows(events), range));
      return rows.getRowsJson().map(([key, ...steps]) => [key, steps.map(Number)] as [string | null, number[]]);
    };
    const [total] = await run({ ...funnel, group_by: undefined });
    return { steps: total![1], groups: new Map(funnel.group_by === undefined ? [] : await run(funnel)) };
  });
}

const conditions = fc.oneof(
  { weight: 10, arbitrary: fc.constant<Condition[]>([]) },
  { weight: 1, arbitrary: fc.constant<Condition[]>([{ path: "n", op: "gte", value: 1 }]) },
  { weight: 1, arbitrary: fc.constant<Condition[]>([{ path: "n", op: "exists", value: false }]) },
);
const step = fc.record({ event_type: fc.constantFrom("view", "cart", "buy"), conditions });
const funnel: fc.Arbitrary<Funnel> = fc.record({
  unit: fc.constantFrom(...FUNNEL_UNITS),
  window_ms: fc.integer({ min: 2, max: 10 }).map((minutes) => minutes * MINUTE_MS),
  steps: fc.array(step, { minLength: 1, maxLength: 4 }),
  product_id: fc.constantFrom(undefined, undefined, undefined, undefined, undefined, undefined, "p", "it's"),
  group_by: fc.constantFrom(undefined, ...FUNNEL_GROUPS),
});
const range = fc.tuple(fc.integer({ min: -2, max: 2 }), fc.integer({ min: 0, max: 14 })).map(([from, minutes]) => ({
  start: FUNNEL_START + from * MINUTE_MS,
  end: FUNNEL_START + (from + minutes) * MINUTE_MS,
}));

test("any funnel over any range counts what trying out every chain counts", async () => {
  let reached = 0;
  await fc.assert(
    fc.asyncProperty(funnel, funnelEvents(8), range, async (asked, events, within) => {
      const wanted = countFunnel(asked, events, within);
      expect(await count(asked, events, within)).toEqual(wanted);
      if (asked.steps.length > 2 && wanted.steps[2]! > 0) reached++;
    }),
    { numRuns: 400 },
  );
  // Else it would have compared zeros.
  expect(reached).toBeGreaterThan(20);
});

function happen(...events: [type: string, minute: number, product?: string][]): FunnelEvent[] {
  const nothing = { source: null, country: null, device: null, cohort: null, categories: [], props: {} };
  const place = { shard: "s", sequence: "1" };
  return events.map(([event_type, minute, product], index) => {
    const at = FUNNEL_START + minute * MINUTE_MS;
    const products = product === undefined ? [] : [product];
    return { unit: "a", at, event_type, products, index, ...nothing, ...place };
  });
}

describe("what a query by minimum of timestamps gets wrong", () => {
  const steps = ["view", "cart", "buy"].map((event_type) => ({ event_type, conditions: [] }));
  const asked: Funnel = { unit: "session", window_ms: 30 * MINUTE_MS, steps };
  const within = { start: FUNNEL_START, end: FUNNEL_START + 60 * MINUTE_MS };

  test.each([
    [
      "a cart before the first view, and another after it",
      happen(["cart", 0], ["view", 1], ["cart", 2], ["buy", 3]),
      [1, 1, 1],
    ],
    ["an old view, and one in time", happen(["view", 0], ["view", 40], ["cart", 50], ["buy", 60]), [1, 1, 1]],
    ["bought before the cart", happen(["view", 0], ["buy", 1], ["cart", 2]), [1, 1, 0]],
    ["at the edge of the window", happen(["view", 0], ["cart", 1], ["buy", 30]), [1, 1, 1]],
    ["a moment later", happen(["view", 0], ["cart", 1], ["buy", 30 + 1 / MINUTE_MS]), [1, 1, 0]],
    ["all in one moment, in order of place", happen(["view", 0], ["cart", 0], ["buy", 0]), [1, 1, 1]],
    ["all in one moment, the other way round", happen(["buy", 0], ["cart", 0], ["view", 0]), [1, 0, 0]],
    ["bought after the range", happen(["view", 59], ["cart", 61], ["buy", 62]), [1, 1, 1]],
    ["begun before the range", happen(["view", -1], ["cart", 1], ["buy", 2]), [0, 0, 0]],
  ])("%s", async (_, events, counts) => {
    expect(countFunnel(asked, events, within).steps).toEqual(counts);
    expect((await count(asked, events, within)).steps).toEqual(counts);
  });

  test("one event is not two steps of the same type", async () => {
    const twice: Funnel = { ...asked, steps: [steps[0]!, steps[0]!] };
    expect((await count(twice, happen(["view", 0]), within)).steps).toEqual([1, 0]);
    expect((await count(twice, happen(["view", 0], ["view", 0]), within)).steps).toEqual([1, 1]);
  });

  test("by product, a chain is about one product; the total is of all", async () => {
    const events = happen(["view", 0, "p"], ["cart", 1, "q"], ["view", 2, "q"], ["cart", 3, "p"], ["buy", 4, "q"]);
    const counted = await count({ ...asked, group_by: "product" }, events, within);
    expect(counted.steps).toEqual([1, 1, 1]);
    expect(counted.groups).toEqual(
      new Map([
        ["p", [1, 1, 0]],
        ["q", [1, 0, 0]],
      ]),
    );
  });
});
