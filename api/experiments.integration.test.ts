import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { campaignReportSchema } from "../analytics/reports/campaign.ts";
import { experimentReportSchema } from "../analytics/reports/experiment.ts";
import { experimentViewSchema } from "../crm/experiment.ts";
import { campaignArms, campaignPerformance, experimentDaily } from "../platform/postgres/schema.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";
import { SEED_CAMPAIGN } from "../test/support/seed-campaign.ts";

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi();
});
afterAll(() => t.close());

const variants = [
  { name: "old", share: 1, is_control: true },
  { name: "new", share: 1 },
];
const metric = { type: "conversion", event_type: "purchase" };
const definition = { experiment_id: "checkout", variants, metric, window: "P3D", started_at: "2026-11-01T00:00:00Z" };
/** statsmodels 0.15.0: proportions_ztest([600, 400], [4000, 4000]). */
const P_OF_600_AND_400 = 1.368212967893309e-11;
const post = (body: unknown, key?: string) => t.call("POST", "/api/v1/experiments", { body, ...(key && { key }) });

describe("an experiment", () => {
  test("is defined once, told again, listed, and ended once", async () => {
    const made = await post(definition);
    expect(made.status).toBe(201);
    expect(experimentViewSchema.parse(made.body)).toMatchObject({ state: "running", window: "P3D", ended_at: null });
    const again = await post(definition);
    expect([again.status, again.body]).toEqual([200, made.body]);
    expect((await post({ ...definition, window: "P4D" })).status).toBe(409);
    expect((await t.call("GET", "/api/v1/experiments/checkout")).body).toEqual(made.body);

    const planned = await post({ ...definition, experiment_id: "later", started_at: "2099-01-01T00:00:00+23:59" });
    expect(planned.body.state).toBe("planned");
    expect((await t.call("POST", "/api/v1/experiments/later/end")).status).toBe(409);
    const first = (await t.call("GET", "/api/v1/experiments?limit=1")).body;
    expect(first.experiments).toEqual([made.body]);
    const rest = (await t.call("GET", `/api/v1/experiments?limit=1&cursor=${first.next_cursor}`)).body;
    expect(rest).toEqual({ experiments: [planned.body], next_cursor: null });

    const ended = await t.call("POST", "/api/v1/experiments/checkout/end");
    expect(ended.body.state).toBe("ended");
    expect((await t.call("POST", "/api/v1/experiments/checkout/end")).body).toEqual(ended.body);
  });

  test("is its client's alone, and only an admin's to make", async () => {
    const { api_key: key } = t.theirs;
    expect((await t.call("GET", "/api/v1/experiments/checkout", { key })).status).toBe(404);
    expect((await t.call("POST", "/api/v1/experiments/checkout/end", { key })).status).toBe(404);
    expect((await t.call("GET", "/api/v1/analytics/experiments/checkout", { key })).status).toBe(404);
    expect((await t.call("GET", "/api/v1/experiments", { key })).body.experiments).toEqual([]);
    expect((await post(definition, await t.addKey(["read"]))).status).toBe(403);
    expect((await post(definition, key)).status).toBe(201);
  });

  test.each([
    ["no control", { variants: [{ name: "a", share: 1 }, { name: "b", share: 1 }] }, "/variants"],
    ["two controls", { variants: variants.map((one) => ({ ...one, is_control: true })) }, "/variants"],
    ["names that are the same", { variants: [variants[0], { ...variants[1], name: "old" }] }, "/variants"],
    ["one variant", { variants: [variants[0]] }, "/variants"],
    ["a share of nothing", { variants: [variants[0], { ...variants[1], share: 0 }] }, "/variants/1/share"],
    ["a window without end", { window: "P91D" }, "/window"],
    ["a window that is none", { window: "3 days" }, "/window"],
    ["a metric of exposures", { metric: { ...metric, event_type: "experiment_exposure" } }, "/metric/event_type"],
    ["money that is none", { metric: { type: "revenue", currency: "BTC" } }, "/metric/currency"],
    ["an unknown metric", { metric: { type: "clicks" } }, "/metric/type"],
    ["a time before all", { started_at: "0000-01-01T00:00:00Z" }, "/started_at"],
  ])("%s: refused, and it is said where", async (_, change, pointer) => {
    const { status, body } = await post({ ...definition, experiment_id: "wrong", ...change });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain(`"${pointer}"`);
  }); // prettier-ignore
});

test("results: from the days' sums, with who was left out", async () => {
  const day = {
    client_id: t.ours.client_id,
    experiment_id: "checkout",
    currency: "",
    revenue_minor: 0,
    revenue_squares: 0,
  };
  const rows = [1, 2, 3, 4].flatMap((nth) => [
    { ...day, day: `2026-11-0${nth}`, kind: "counted" as const, variant: "old", persons: 1_000, converted: 100 },
    { ...day, day: `2026-11-0${nth}`, kind: "counted" as const, variant: "new", persons: 1_000, converted: 150 },
  ]);
  const money = { currency: "INR", revenue_minor: 50_000, revenue_squares: 9e6 };
  await t.api.db
    .insert(experimentDaily)
    .values([
      ...rows,
      { ...rows[0]!, ...money, persons: 0, converted: 90 },
      { ...rows[0]!, kind: "mixed", persons: 7, converted: 0 },
      { ...rows[0]!, kind: "unknown", variant: "", persons: 2, converted: 0 },
    ]);
  const { status, body } = await t.call("GET", "/api/v1/analytics/experiments/checkout");
  expect(status).toBe(200);
  const report = experimentReportSchema.parse(body);
  expect(report).toMatchObject({
    experiment_id: "checkout",
    window: "P3D",
    alpha: 0.05,
    sample_ratio: { chi_square: 0, p_value: 1, is_ok: true },
    left_out: { mixed: 7, unknown: 2 },
    window_open: 8_000,
    as_of: null,
  });
  const [old, fresh] = report.variants;
  expect(old).toMatchObject({
    variant: "old",
    exposed: 4_000,
    converted: 400,
    rate: 0.1,
    revenue: { INR: 50_000 },
    comparison: null,
  });
  // statsmodels: confint_proportions_2indep(600, 4000, 400, 4000, method="newcomb")
  expect(fresh!.comparison!.difference).toBeCloseTo(0.05, 12);
  expect(fresh!.comparison!.relative).toBeCloseTo(0.5, 12);
  expect(fresh!.comparison!.p_value / P_OF_600_AND_400).toBeCloseTo(1, 9);
  expect(fresh!.comparison!.interval.low).toBeCloseTo(0.03554642007126383, 12);
  expect(fresh!.comparison!.interval.high).toBeCloseTo(0.0644738404984764, 12);
  expect(fresh!.comparison!.sequential.verdict).toBe("better");
  expect(fresh!.comparison!.sequential.interval!.low).toBeGreaterThan(0);
  expect((await t.call("GET", "/api/v1/analytics/experiments/none")).status).toBe(404);
});

test("a campaign's results: sums over days and channels, and the lift over who was held out", async () => {
  const { client_id } = t.ours;
  await t.call("POST", "/api/v1/campaigns", { body: { ...SEED_CAMPAIGN, attribution_window: "P14D" } });
  // Of another range, because answers are kept until ETL has published.
  const empty = await t.call("GET", "/api/v1/analytics/campaigns/camp_123?start=2020-01-01");
  expect(campaignReportSchema.parse(empty.body)).toMatchObject({
    messages: 0,
    lift: null,
    attribution: { window: "P14D" },
  });
  const ids = { client_id, campaign_id: "camp_123" };
  const none = { opened: 0, clicked: 0, failed: 0, unknown: 0, skipped: 0, under_way: 0 };
  await t.api.db.insert(campaignPerformance).values([
    { ...ids, ...none, day: "2026-11-01", channel: "email", messages: 5, sent: 3, delivered: 3, skipped: 2, reasons: { skipped: { no_consent: 2 } }, attributed_orders: 1, attributed_revenue: { INR: 500 } },
    { ...ids, ...none, day: "2026-11-02", channel: "email", messages: 4, sent: 4, delivered: 3, failed: 1, reasons: { failed: { bounced: 1 } }, attributed_orders: 2, attributed_revenue: { INR: 700, USD: 30 } },
    { ...ids, ...none, day: "2026-11-02", channel: "sms", messages: 1, sent: 1, delivered: 0, reasons: {}, attributed_orders: 0, attributed_revenue: {} },
  ]); // prettier-ignore
  await t.api.db.insert(campaignArms).values([
    { ...ids, day: "2026-11-01", arm: "treated", persons: 4_000, buyers: 600, revenue: { INR: { minor: 800_000, squares: 2e9 } } },
    { ...ids, day: "2026-11-01", arm: "holdout", persons: 3_000, buyers: 300, revenue: { INR: { minor: 300_000, squares: 9e8 } } },
    { ...ids, day: "2026-11-02", arm: "holdout", persons: 1_000, buyers: 100, revenue: {} },
    { ...ids, day: "2026-11-02", arm: "mixed", persons: 3, buyers: 1, revenue: {} },
  ]); // prettier-ignore
  const { status, body } = await t.call("GET", "/api/v1/analytics/campaigns/camp_123");
  expect(status).toBe(200);
  const report = campaignReportSchema.parse(body);
  expect(report).toMatchObject({
    messages: 10,
    sent: 8,
    delivered: 6,
    reasons: { failed: { bounced: 1 }, skipped: { no_consent: 2 } },
    attributed: { orders: 3, revenue: { INR: 1_200, USD: 30 } },
    channels: [
      { channel: "email", messages: 9 },
      { channel: "sms", messages: 1 },
    ],
    days: [
      { day: "2026-11-01", messages: 5 },
      { day: "2026-11-02", messages: 5 },
    ],
    lift: { treated: { persons: 4_000, rate: 0.15 }, holdout: { persons: 4_000, buyers: 400, rate: 0.1 }, mixed: 3 },
  });
  expect(report.lift!.conversion!.p_value / P_OF_600_AND_400).toBeCloseTo(1, 9);
  // 200 a person less 75 a person.
  expect(report.lift!.revenue["INR"]).toMatchObject({ difference: 125, incremental_minor: 500_000 });
  const second = await t.call("GET", "/api/v1/analytics/campaigns/camp_123?start=2026-11-02&end=2026-11-03");
  expect(second.body).toMatchObject({ messages: 5, lift: { treated: { persons: 0, rate: null }, conversion: null } });
  const { api_key: key } = t.theirs;
  expect((await t.call("GET", "/api/v1/analytics/campaigns/camp_123", { key })).status).toBe(404);
  for (const query of ["start=2026-11-02&end=2026-11-02", "start=yesterday", "end=2026-02-30", "start=0000-01-01"]) {
    expect((await t.call("GET", `/api/v1/analytics/campaigns/camp_123?${query}`)).status).toBe(400);
  }
  const wrong = { ...SEED_CAMPAIGN, campaign_id: "wrong", attribution_window: "P91D" };
  expect((await t.call("POST", "/api/v1/campaigns", { body: wrong })).status).toBe(400);
});
