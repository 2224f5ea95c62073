import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, expect, it } from "vitest";

import type { Context } from "../../platform/context.ts";
import { productPerformanceDaily } from "../../platform/postgres/schema.ts";
import { watermarkKey } from "../../platform/watermark.ts";
import { createIsolatedContext } from "../../test/support/context.ts";
import { checkRun } from "./check-run.ts";

let ctx: Context;
beforeAll(async () => {
  ctx = await createIsolatedContext();
});
afterAll(() => ctx.close());

const clientId = `check-run-${randomUUID()}`;
const failed = async () =>
  (await checkRun({ ctx }, clientId)).filter(({ state }) => state === "failed").flatMap(({ details }) => details);
const sold = (product_id: string, counts: { views?: number; purchases?: number }) =>
  ctx.db.insert(productPerformanceDaily).values({
    client_id: clientId,
    day: "2026-11-01",
    product_id,
    currency: "",
    views: 0,
    add_to_cart: 0,
    purchases: 0,
    units: 0,
    revenue_minor: 0,
    ...counts,
  });

it("figures are fresh where the lake follows, and products that are bought are known", async () => {
  await ctx.redis.del(watermarkKey("lake"));
  expect(await failed()).toEqual(["nobody knows how far the lake is: its consumer has said nothing yet"]);
  await ctx.redis.hset(watermarkKey("lake"), { a: Date.now(), b: Date.now() - 60 * 60_000 });
  expect(await failed()).toEqual([expect.stringMatching(/^the lake is (59|60|61) minutes behind/)]);
  await ctx.redis.hset(watermarkKey("lake"), { b: Date.now() });
  // A shop that reports nothing but purchases has nothing that could be compared.
  await sold("till-only", { purchases: 3 });
  expect(await failed()).toEqual([]);
  await sold("shirt", { views: 9 });
  expect(await failed()).toEqual(["1 products were bought and never looked at: till-only"]);
});
