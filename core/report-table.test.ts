import { describe, expect, test } from "vitest";
import { z } from "zod";

import { tableOfReport } from "./report-table.ts";

const money = z.object({ revenue_minor: z.int(), currency: z.string().nullable() }).meta({ id: "TestMoney" });
const report = z.object({
  as_of: z.iso.datetime().nullable(),
  days: z.array(
    z.object({
      day: z.iso.date(),
      share: z.number().nullable(),
      is_whole: z.boolean(),
      seen_at: z.iso.datetime().optional(),
      money: money.nullable(),
      by_currency: z.record(z.string(), z.int()),
      hours: z.array(z.object({ hour: z.int(), count: z.int() })),
    }),
  ),
});

test("columns are named and typed by the schema", () => {
  expect(tableOfReport(report)!.columns).toEqual([
    { name: "day", type: "date" },
    { name: "share", type: "number" },
    { name: "is_whole", type: "boolean" },
    { name: "seen_at", type: "time" },
    { name: "money_revenue_minor", type: "integer" },
    { name: "money_currency", type: "text" },
    { name: "by_currency", type: "json" },
    { name: "hours_hour", type: "integer" },
    { name: "hours_count", type: "integer" },
  ]);
});

test("a list within multiplies the rows; an empty one leaves its columns empty", () => {
  const day = { day: "2026-11-01", share: null, is_whole: true, by_currency: { EUR: 5 } };
  const body = {
    as_of: null,
    days: [
      {
        ...day,
        money: { revenue_minor: 5, currency: null },
        hours: [
          { hour: 1, count: 2 },
          { hour: 2, count: 3 },
        ],
      },
      { ...day, money: null, hours: [] },
    ],
  };
  expect([...tableOfReport(report)!.rows(body)]).toEqual([
    ["2026-11-01", null, true, null, 5, null, '{"EUR":5}', 1, 2],
    ["2026-11-01", null, true, null, 5, null, '{"EUR":5}', 2, 3],
    ["2026-11-01", null, true, null, null, null, '{"EUR":5}', null, null],
  ]);
});

describe("is no table", () => {
  const rows = z.array(z.object({ a: z.int() }));
  test.each([
    ["no list", z.object({ a: z.int() })],
    ["two lists", z.object({ a: rows, b: rows })],
    ["a list of numbers", z.object({ a: z.array(z.int()) })],
    ["no object", z.string()],
  ])("%s", (_, schema) => {
    expect(tableOfReport(schema)).toBeUndefined();
  });
});
