import { expect, test } from "vitest";

import { hasFailedBuild } from "../../core/etl-check.ts";
import { assertBuilt, createAttempts } from "./attempt-build.ts";

const fail = (error: Error) => async () => {
  throw error;
};

test("what fails is told with its innermost reason, the others go on", async () => {
  const { attempt, checks } = createAttempts();
  const cause = new Error("unknown TimeZone 'Mars' in '/home/of/somebody/events_1.parquet'");
  let built = 0;
  await attempt("funnels", fail(new Error("Failed query: select 1\nparams: someone@example.org", { cause })));
  await attempt("visitors", async () => void built++);
  expect(built).toBe(1);
  expect(checks()).toEqual([
    {
      check: "aggregates",
      state: "failed",
      partitions: 2,
      failed: 1,
      details: ["funnels: unknown TimeZone 'Mars' in …/events_1.parquet'"],
    },
  ]);
  expect(hasFailedBuild(checks())).toBe(true);
  expect(() => assertBuilt(checks())).toThrow("Mars");
});

test("a database that is away is no fault of what is built", async () => {
  const { attempt, checks } = createAttempts();
  const away = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
  await expect(attempt("funnels", fail(new Error("Failed query", { cause: away })))).rejects.toThrow("Failed query");
  expect(hasFailedBuild(checks())).toBe(false);
  expect(() => assertBuilt(checks())).not.toThrow();
});
