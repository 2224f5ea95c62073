import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { runEtl } from "../analytics/etl/run-etl.ts";
import { funnelReportSchema } from "../analytics/reports/funnel.ts";
import { createLakeConsumer } from "../analytics/stream/lake/consumer.ts";
import { countFunnel, type FunnelEvent } from "../core/count-funnel.ts";
import type { Funnel } from "../core/funnel.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../core/time.ts";
import { uuidOf } from "../core/uuid.ts";
import { forgetCached } from "../platform/cache.ts";
import { createLake } from "../platform/lake/lake.ts";
import { createWarehouse, type Warehouse } from "../platform/warehouse/duckdb.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";
import { makeEnriched, toEntry } from "../test/support/enriched-events.ts";
import { stackConfig } from "../test/support/stack-config.ts";
import { createTemporalNamespace } from "../test/support/temporal-namespace.ts";
import { startTemporalWorker, type TemporalWorker } from "../test/support/temporal-worker.ts";
import { createAdHocWorker } from "../workers/ad-hoc.ts";

const START = Date.parse("2026-11-01T00:00:00Z");
const TYPES = ["product_view", "add_to_cart", "product_view", "purchase"];
const steps = ["product_view", "add_to_cart", "purchase"].map((event_type) => ({ event_type, conditions: [] }));
let t: TestApi;
let warehouse: Warehouse;
let events: FunnelEvent[];
let worker: TemporalWorker | undefined;

beforeAll(async () => {
  const namespace = await createTemporalNamespace(stackConfig().LIVORA_TEMPORAL_ADDRESS);
  t = await startTestApi({ LIVORA_TEMPORAL_NAMESPACE: namespace });
  const lake = createLake(t.api.config.LIVORA_LAKE);
  const tempFolder = join(lake.root, "_tmp", `spill-funnel-${crypto.randomUUID()}-${process.pid}`);
  warehouse = createWarehouse({ memoryLimit: "256MB", threads: 1, tempFolder });
  worker = await startTemporalWorker(t.api.config, (connection) => createAdHocWorker(t.api, connection));
  events = Array.from({ length: 400 }, (_, number) => makeEvent(number));
  await append(events.slice(0, 360));
});
afterAll(async () => {
  await worker?.close();
  await warehouse.close();
  await t.close();
});

/** Over three days, 40 sessions of 10 people; where they come from changes within a session. */
function makeEvent(number: number): FunnelEvent {
  const random = (salt: number, below: number) =>
    Number(BigInt(`0x${uuidOf("draw", `${number} ${salt}`).slice(0, 8)}`)) % below;
  const session = random(1, 40);
  return {
    unit: `s${session}`,
    at: START + (session % 3) * DAY_MS + (session % 5) * 5 * HOUR_MS + random(2, 120) * MINUTE_MS,
    event_type: TYPES[random(3, TYPES.length)]!,
    props: { product_id: `p${random(4, 3)}`, price: random(5, 100) },
    source: null,
    country: null,
    device: null,
    cohort: "2026-11-01",
    products: [`p${random(4, 3)}`],
    categories: [],
    shard: "shardId-000000000000",
    sequence: String(number),
    index: 0,
  };
}

/** As the stream brings them, and a run of ETL after it. */
async function append(some: readonly FunnelEvent[]): Promise<void> {
  const { client_id: clientId } = t.ours;
  const entries = some.map(({ unit, at, event_type, props, sequence }) => {
    const number = Number(sequence);
    const event = { session_id: unit, user_id: personOf(unit), anon_id: null, event_type, props };
    return toEntry(makeEnriched({ clientId, number, timestampMs: at, event }), number);
  });
  const { signal } = new AbortController();
  await createLakeConsumer(t.api).handle({ shard: "shardId-000000000000", entries, state: undefined, signal });
  const lake = createLake(t.api.config.LIVORA_LAKE);
  await runEtl({ ctx: t.api, lake, warehouse }, { client_id: clientId, run_id: crypto.randomUUID() });
  await forgetCached(t.api.redis, clientId);
}

const personOf = (session: string) => `u${Number(session.slice(1)) % 10}`;

async function get(query: string) {
  const { status, body } = await t.call("GET", `/api/v1/analytics/funnel?${query}`);
  expect({ status, body }).toMatchObject({ status: 200 });
  return funnelReportSchema.parse(body);
}

function countsOf(funnel: Funnel, some: readonly FunnelEvent[], start: string, end: string) {
  const theirs = some.map((event) => (funnel.unit === "user" ? { ...event, unit: personOf(event.unit) } : event));
  const moments = [start, end].map((text) => Date.parse(text.length === 10 ? `${text}T00:00:00Z` : text));
  return countFunnel(funnel, theirs, { start: moments[0]!, end: moments[1]! });
}

const RANGES = [
  ["2026-11-01", "2026-11-04"],
  ["2026-11-02", "2026-11-03"],
  ["2026-11-01T05:00:00Z", "2026-11-02T06:00:00Z"],
  ["2026-11-01T05:17:00Z", "2026-11-02T06:00:01Z"],
  ["2025-11-01", "2025-11-02"],
] as const;
const FUNNELS = [
  ["unit=session&window=PT30M", { unit: "session", window_ms: 30 * MINUTE_MS }],
  ["unit=user&window=PT30M", { unit: "user", window_ms: 30 * MINUTE_MS }],
  ["unit=user&window=P7D", { unit: "user", window_ms: 7 * DAY_MS }],
  ["unit=session&window=PT5M", { unit: "session", window_ms: 5 * MINUTE_MS }],
] as const;

test("of aggregates or of the lake: what trying out every chain counts; after late events, too", async () => {
  for (const known of [events.slice(0, 360), events]) {
    if (known === events) await append(events.slice(360));
    for (const [query, asked] of FUNNELS) {
      for (const [start, end] of RANGES) {
        const report = await get(`start=${start}&end=${end}&${query}`);
        const counts = report.steps.map((step) => step.count);
        expect([query, start, counts]).toEqual([query, start, countsOf({ ...asked, steps }, known, start, end).steps]);
        expect(report.as_of === null || Date.parse(report.as_of) > 0).toBe(true);
      }
    }
  }
});

describe("questions that no aggregate answers", () => {
  const [start, end] = ["2026-11-01", "2026-11-04"];
  const base: Funnel = { unit: "session", window_ms: 30 * MINUTE_MS, steps };

  test.each(["product", "cohort"] as const)("grouped by %s", async (group_by) => {
    const report = await get(`start=${start}&end=${end}&group_by=${group_by}`);
    const wanted = countsOf({ ...base, group_by }, events, start, end);
    expect(new Map(report.groups.map(({ key, steps }) => [key, steps.map((step) => step.count)]))).toEqual(
      wanted.groups,
    );
    expect(report.steps.map((step) => step.count)).toEqual(wanted.steps);
  });

  test("of one product; with conditions; conversions are shares", async () => {
    const ofProduct = await get(`start=${start}&end=${end}&product_id=p1`);
    const wanted = countsOf({ ...base, product_id: "p1" }, events, start, end).steps;
    expect(ofProduct.steps.map((step) => step.count)).toEqual(wanted);
    expect(ofProduct.steps.map((step) => step.conversion_from_first)).toEqual(
      wanted.map((units) => units / wanted[0]!),
    );
    expect(ofProduct.steps[2]!.conversion_from_previous).toBe(wanted[2]! / wanted[1]!);
    const dear = [
      { event_type: "product_view", conditions: [] },
      { event_type: "purchase", conditions: [{ path: "price", op: "gte" as const, value: 50 }] },
    ];
    const asked = await get(`start=${start}&end=${end}&steps=${encodeURIComponent(JSON.stringify(dear))}`);
    const counted = countsOf({ ...base, steps: dear }, events, start, end).steps;
    expect(asked.steps.map((step) => step.count)).toEqual(counted);
  });
});

test("another client sees nothing of it", async () => {
  const { body } = await t.call("GET", "/api/v1/analytics/funnel?start=2026-11-01&end=2026-11-04", {
    key: t.theirs.api_key,
  });
  expect(funnelReportSchema.parse(body).steps.map((step) => step.count)).toEqual([0, 0, 0]);
});

describe("what is no question", () => {
  test.each([
    ["start=2026-11-02&end=2026-11-02", "/end"],
    ["start=2026-11-02&end=2026-11-01", "/end"],
    ["start=2026-11-02&end=2029-11-01", "/end"],
    ["start=yesterday&end=2026-11-01", "/start"],
    ["start=2026-02-30&end=2026-11-01", "/start"],
    ["start=2026-11-01T00:00:00&end=2026-11-02", "/start"],
    ["end=2026-11-01", "/start"],
    ["start=2026-11-01&end=2026-11-02&group_by=colour", "/group_by"],
    ["start=2026-11-01&end=2026-11-02&unit=household", "/unit"],
    ["start=2026-11-01&end=2026-11-02&window=30m", "/window"],
    ["start=2026-11-01&end=2026-11-02&window=P1M", "/window"],
    ["start=2026-11-01&end=2026-11-02&window=PT0S", "/window"],
    ["start=2026-11-01&end=2026-11-02&window=P91D", "/window"],
    ["start=2026-11-01&end=2026-11-02&steps=", "/steps"],
    ["start=2026-11-01&end=2026-11-02&steps=a,,b", "/steps"],
    ["start=2026-11-01&end=2026-11-02&steps=%00", "/steps"],
    ["start=2026-11-01&end=2026-11-02&steps=[1", "/steps"],
    [`start=2026-11-01&end=2026-11-02&steps=${encodeURIComponent('[{"event_type":"a","if":1}]')}`, "/steps"],
    ["start=2026-11-01&end=2026-11-02&steps=a,a,a,a,a,a,a,a,a,a,a", "/steps"],
    ["start=2026-11-01&end=2026-11-02&product_id=%00", "/product_id"],
  ])("%s is refused, and it is said where", async (query, pointer) => {
    const { status, body } = await t.call("GET", `/api/v1/analytics/funnel?${query}`);
    expect(status).toBe(400);
    expect(JSON.stringify(body.errors)).toContain(`"${pointer}`);
  });
});
