import * as fc from "fast-check";
import { expect, test } from "vitest";

import { dayIn } from "../../../core/calendar-day.ts";
import type { Condition } from "../../../core/condition.ts";
import {
  countExperiment,
  type CountedExperiment,
  type CountedPerson,
  type ExperimentEvent,
} from "../../../core/experiment/count-experiment.ts";
import { EXPOSURE } from "../../../core/experiment/definition.ts";
import { HOUR_MS } from "../../../core/time.ts";
import { quote } from "../../../platform/warehouse/duckdb.ts";
import { useWarehouse } from "../../../test/support/use-warehouse.ts";
import { query, type Row } from "../deps.ts";
import { countExperimentSql } from "./count-sql.ts";

const { warehouse } = useWarehouse();

const START = Date.parse("2026-11-20T00:00:00Z");
const ZONES = ["UTC", "Asia/Kolkata", "America/New_York"];

/** No two at one time: which of them was first would be the place's matter, which no event of the reference has. */
const times = fc.uniqueArray(fc.integer({ min: -5, max: 100 }), { minLength: 10, maxLength: 40 });
const money = fc.record({
  currency: fc.constantFrom("INR", "USD"),
  revenue_minor: fc.integer({ min: -500, max: 90_000 }),
});
const SEEN = { experiment_id: "it's", variant: "a" };
const exposureProps = fc.constantFrom<Record<string, unknown>>(
  SEEN,
  SEEN,
  SEEN,
  { ...SEEN, variant: "b" },
  { ...SEEN, variant: "b" },
  { ...SEEN, variant: "c'" },
  { ...SEEN, variant: "gone" },
  { ...SEEN, variant: 1 },
  { ...SEEN, variant: ["a"] },
  { experiment_id: "it's" },
  { ...SEEN, experiment_id: "another" },
  { ...SEEN, experiment_id: 7 },
  {},
);
const what = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ event_type: fc.constant(EXPOSURE), props: exposureProps, money: fc.constant(null) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      event_type: fc.constantFrom("purchase", "purchase", "signup"),
      props: fc.record({ plan: fc.constantFrom("pro", "free", 3) }, { requiredKeys: [] }),
      money: fc.option(money),
    }),
  },
);
const history = times.chain((at) =>
  fc.tuple(
    ...at.map((hour) =>
      fc
        .record({ who: fc.nat(4), isMachine: fc.constantFrom(false, false, false, true), what })
        .map(({ who, isMachine, what: { event_type, props, money: paid } }): ExperimentEvent => ({
          person: `anon:${who}`,
          isMachine,
          event_type,
          at: START + hour * HOUR_MS,
          props,
          currency: paid?.currency ?? null,
          revenue_minor: paid?.revenue_minor ?? null,
        })),
    ),
  ),
);
const experiments: fc.Arbitrary<CountedExperiment> = fc.record({
  id: fc.constant("it's"),
  variants: fc.constantFrom<string[]>(["a", "b"], ["a", "b", "c'"]),
  metric: fc.record({
    event_type: fc.constantFrom("purchase", "signup"),
    conditions: fc.constantFrom<Condition[]>([], [{ path: "plan", op: "eq", value: "pro" }]),
  }),
  window_ms: fc.constantFrom(1, 5 * HOUR_MS, 48 * HOUR_MS),
  started_at: fc.constantFrom(START, START + 10 * HOUR_MS),
  ended_at: fc.constantFrom(null, START + 60 * HOUR_MS),
});

function cell(value: string | number | null, type: string): string {
  return `CAST(${value === null ? "NULL" : quote(String(value))} AS ${type})`;
}

function toView(events: readonly ExperimentEvent[]): string {
  const rows = events.map((one, nth) => {
    const columns = {
      person: cell(one.person, "VARCHAR"),
      user_id: cell(null, "VARCHAR"),
      is_bot: String(one.isMachine),
      event_type: cell(one.event_type, "VARCHAR"),
      timestamp: `make_timestamp(${one.at * 1000})`,
      props: cell(JSON.stringify(one.props), "VARCHAR"),
      currency: cell(one.currency, "VARCHAR"),
      revenue_minor: cell(one.revenue_minor, "BIGINT"),
      source_shard: cell("shardId-0", "VARCHAR"),
      source_sequence: cell(String(nth), "VARCHAR"),
      source_index: "0",
    };
    return `SELECT ${Object.entries(columns)
      .map(([name, value]) => `${value} AS "${name}"`)
      .join(", ")}`;
  });
  return `CREATE OR REPLACE TEMP VIEW events AS ${rows.join(" UNION ALL ")}`;
}

/** The reference's people, summed up as the table has it. */
function sumUp(people: readonly CountedPerson[], timeZone: string): Map<string, unknown> {
  const sums = new Map<string, number[]>();
  const add = (key: unknown[], values: readonly number[]) => {
    const before = sums.get(key.join("|")) ?? [0, 0, 0, 0];
    sums.set(
      key.join("|"),
      before.map((value, nth) => value + values[nth]!),
    );
  };
  for (const { first_at, variant, kind, converted, earned } of people) {
    const key = [dayIn(timeZone, first_at), variant, kind];
    add([...key, ""], [1, Number(converted), 0, 0]);
    for (const [currency, minor] of Object.entries(earned)) add([...key, currency], [0, 1, minor, minor ** 2]);
  }
  return sums;
}

function toSums(rows: readonly Row[]): Map<string, unknown> {
  return new Map(
    rows.map((row) => [
      [row["day"], row["variant"], row["kind"], row["currency"]].join("|"),
      [row["persons"], row["converted"], row["revenue_minor"], row["revenue_squares"]].map(Number),
    ]),
  );
}

function countInSql(
  events: readonly ExperimentEvent[],
  experiment: CountedExperiment,
  timeZone: string,
): Promise<Row[]> {
  return warehouse.use(async (connection) => {
    await connection.run(toView(events));
    return query(connection, countExperimentSql(experiment, timeZone));
  });
}

test("SQL counts what counting person by person counts", async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(history, experiments, fc.constantFrom(...ZONES), async (events, experiment, zone) => {
      const people = countExperiment(experiment, events);
      compared += people.length;
      expect(toSums(await countInSql(events, experiment, zone))).toEqual(sumUp(people, zone));
    }),
    { numRuns: 80 },
  );
  // Not only of histories in which nobody is exposed.
  expect(compared).toBeGreaterThan(80);
}, 60_000);

const exposed = (person: string, variant: string, hour: number): ExperimentEvent => ({
  person,
  isMachine: false,
  event_type: EXPOSURE,
  at: START + hour * HOUR_MS,
  props: { experiment_id: "e", variant },
  currency: null,
  revenue_minor: null,
});
const bought = (person: string, hour: number): ExperimentEvent => ({
  ...exposed(person, "", hour),
  event_type: "purchase",
  props: {},
  currency: "INR",
  revenue_minor: 500,
});

test("once under the first variant; whoever saw two is left out; the window opens with the exposure and ends before its end", async () => {
  const experiment: CountedExperiment = {
    id: "e",
    variants: ["old", "new"],
    metric: { event_type: "purchase", conditions: [] },
    window_ms: 10 * HOUR_MS,
    started_at: START,
    ended_at: null,
  };
  const rows = await countInSql(
    [
      exposed("anon:1", "old", 0),
      exposed("anon:1", "old", 30),
      bought("anon:1", 0),
      bought("anon:1", 10),
      exposed("anon:2", "old", 1),
      bought("anon:2", 11),
      exposed("anon:3", "new", 2),
      exposed("anon:3", "old", 1),
      bought("anon:3", 3),
      exposed("anon:4", "older", 1),
      bought("anon:4", 3),
      bought("anon:5", 3),
      exposed("anon:6", "new", -1),
    ],
    experiment,
    "UTC",
  );
  expect(toSums(rows)).toEqual(
    new Map([
      ["2026-11-20|old|counted|", [2, 1, 0, 0]],
      ["2026-11-20|old|counted|INR", [0, 1, 500, 250_000]],
      ["2026-11-20|old|mixed|", [1, 1, 0, 0]],
      ["2026-11-20|old|mixed|INR", [0, 1, 500, 250_000]],
      ["2026-11-20||unknown|", [1, 1, 0, 0]],
      ["2026-11-20||unknown|INR", [0, 1, 500, 250_000]],
    ]),
  );
});
