import { afterAll, beforeAll, expect, test } from "vitest";

import { runEtl } from "../analytics/etl/run-etl.ts";
import { createLakeConsumer } from "../analytics/stream/lake/consumer.ts";
import { backtestReportSchema } from "../core/backtest.ts";
import { MINUTE_MS } from "../core/time.ts";
import { createLake } from "../platform/lake/lake.ts";
import { openWarehouse } from "../platform/warehouse/open-warehouse.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";
import { makeEnriched, toEntry } from "../test/support/enriched-events.ts";
import { SEED_CAMPAIGN as CAMPAIGN } from "../test/support/seed-campaign.ts";
import { stackConfig } from "../test/support/stack-config.ts";
import { createTemporalNamespace } from "../test/support/temporal-namespace.ts";
import { startTemporalWorker, type TemporalWorker } from "../test/support/temporal-worker.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { createAdHocWorker } from "../workers/ad-hoc.ts";

const START = Date.parse("2026-11-02T10:00:00Z");
let t: TestApi;
let worker: TemporalWorker | undefined;

beforeAll(async () => {
  const namespace = await createTemporalNamespace(stackConfig().LIVORA_TEMPORAL_ADDRESS);
  t = await startTestApi({ LIVORA_TEMPORAL_NAMESPACE: namespace });
  worker = await startTemporalWorker(t.api.config, (connection) => createAdHocWorker(t.api, connection));
  const { client_id: clientId } = t.ours;
  const happened = [
    ["ada", 0, "add_to_cart"],
    ["bob", 1, "add_to_cart"],
    ["bob", 60, "purchase"],
    ["eve", 2, "page_view"],
  ] as const;
  const entries = happened.map(([user_id, minute, event_type], number) => {
    const event = { user_id, anon_id: null, event_type, props: { cart_id: "c1" } };
    return toEntry(makeEnriched({ clientId, number, timestampMs: START + minute * MINUTE_MS, event }), number);
  });
  const { signal } = new AbortController();
  await createLakeConsumer(t.api).handle({ shard: "shardId-000000000000", entries, state: undefined, signal });
  const lake = createLake(t.api.config.LIVORA_LAKE);
  const warehouse = openWarehouse(lake, { name: "backtest", memoryLimit: "256MB" });
  await runEtl({ ctx: t.api, lake, warehouse }, { client_id: clientId, run_id: crypto.randomUUID() });
  await warehouse.close();
});
afterAll(async () => {
  await worker?.close();
  await t.close();
});

const ask = (body: object, key?: string) =>
  t.call("POST", "/api/v1/backtests", { body, ...(key !== undefined && { key }) });

/** Answered at once, or a little later. */
async function report(body: object, key?: string) {
  await waitUntil(async () => (await ask(body, key)).status !== 202, { timeoutMs: 60_000, what: "the answer" });
  const { status, body: answer } = await ask(body, key);
  expect({ status, errors: answer.errors }).toEqual({ status: 200, errors: undefined });
  return backtestReportSchema.parse(answer);
}

test("who would have entered, and what would have gone out", async () => {
  const asked = {
    campaign: CAMPAIGN,
    start: "2026-11-02",
    end: "2026-11-04",
    cost_per_message: { whatsapp: 1, email: 0 },
  };
  const found = await report(asked);
  expect(found).toMatchObject({
    people: 2,
    entered: 2,
    runs: { completed: 1, stopped: 1, active: 0, failed: 0 },
    ended_by: [
      { state: "completed", reason: "completed", runs: 1 },
      { state: "stopped", reason: "purchase", runs: 1 },
    ],
    cost: 2,
  });
  expect(found.messages.map(({ channel, template, messages }) => [channel, template, messages])).toEqual([
    ["whatsapp", "reminder", 2],
    ["email", "coupon", 1],
  ]);
  // Of nobody else's people.
  expect(await report(asked, t.theirs.api_key)).toMatchObject({ people: 0, entered: 0, cost: 0 });
});

test.each([
  [{ campaign: CAMPAIGN, start: "2026-11-04", end: "2026-11-02" }, "/end must be after start"],
  [{ campaign: { ...CAMPAIGN, trigger: 5 }, start: "2026-11-02", end: "2026-11-04" }, "/campaign/trigger"],
  [{ campaign: CAMPAIGN, start: "soon", end: "2026-11-04" }, "/start"],
  [
    { campaign: CAMPAIGN, start: "2026-11-02", end: "2026-11-04", cost_per_message: { pigeon: 1 } },
    "/cost_per_message",
  ],
])("%j is refused, and it is said where", async (given, why) => {
  const { status, body } = await ask(given);
  expect(status).toBe(400);
  const faults = body.errors.map(({ path, reason }: { path: string; reason: string }) => `${path} ${reason}`);
  expect(faults.join("; ")).toContain(why);
});
