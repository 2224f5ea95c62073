import { randomUUID } from "node:crypto";

import { eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { publishRun } from "../analytics/etl/publish-run.ts";
import { NO_PROGRESS } from "../core/contracts/etl.ts";
import { createLake } from "../platform/lake/lake.ts";
import { cohortRetention, etlRuns } from "../platform/postgres/schema.ts";
import { createWarehouse } from "../platform/warehouse/duckdb.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";

const QUERY = "/api/v1/analytics/cohorts?start=2026-01-01&end=2026-06-01";
let t: TestApi;

beforeAll(async () => {
  t = await startTestApi();
});
afterAll(() => t.close());
beforeEach(async () => {
  await setCohort(10);
  await publish();
});

async function setCohort(persons: number): Promise<void> {
  const { client_id } = t.ours;
  const row = { cohort_by: "first_purchase" as const, period: "month" as const, cohort: "2026-02-01", age: 0 };
  await t.api.db.delete(cohortRetention).where(eq(cohortRetention.client_id, client_id));
  await t.api.db.insert(cohortRetention).values({ client_id, ...row, persons, revenue: {} });
}

/** The last step of a run: there is no lake, so nothing is computed. */
async function publish(): Promise<void> {
  const { client_id } = t.ours;
  const run_id = randomUUID();
  await t.api.db.insert(etlRuns).values({
    id: run_id,
    client_id,
    workflow_id: `etl:${client_id}`,
    progress: NO_PROGRESS,
    actor: "test",
    request_id: "test",
  });
  const lake = createLake(t.api.config.LIVORA_LAKE);
  const warehouse = createWarehouse({ memoryLimit: "64MB", threads: 1, tempFolder: `${lake.root}/_tmp/unused` });
  await publishRun({ ctx: t.api, lake, warehouse }, { client_id, run_id });
}

const personsOf = (body: { cohorts: { persons: number }[] }) => body.cohorts.map((cohort) => cohort.persons);
const get = (path = QUERY, headers: Record<string, string> = {}) =>
  fetch(t.base + path, { headers: { authorization: `Bearer ${t.ours.api_key}`, ...headers } });

test("what was answered is answered again, until ETL publishes", async () => {
  const first = await t.call("GET", QUERY);
  expect(personsOf(first.body)).toEqual([10]);
  await setCohort(11);
  // The same question in other words: with its defaults, and in another order.
  const again = await t.call("GET", "/api/v1/analytics/cohorts?end=2026-06-01&start=2026-01-01&period=month");
  expect(personsOf(again.body)).toEqual([10]);
  expect(again.headers.get("cache-status")).toContain("hit");
  await publish();
  const fresh = await t.call("GET", QUERY);
  expect(personsOf(fresh.body)).toEqual([11]);
  expect(fresh.headers.get("cache-status")).toContain("miss");
});

test("many who ask at once get one answer", async () => {
  const answers = await Promise.all(Array.from({ length: 40 }, () => t.call("GET", QUERY)));
  expect(new Set(answers.map(({ status, headers }) => `${status} ${headers.get("etag")}`)).size).toBe(1);
  const metrics = await t.api.metrics.registry.getSingleMetric("livora_api_cached_total")!.get();
  expect(metrics.values.map(({ labels }) => labels["outcome"])).toContain("computed");
});

test("another client never gets it, and neither does who may not read", async () => {
  await t.call("GET", QUERY);
  expect(personsOf((await t.call("GET", QUERY, { key: t.theirs.api_key })).body)).toEqual([]);
  expect((await t.call("GET", QUERY, { key: await t.addKey(["ingest"]) })).status).toBe(403);
  expect((await get(QUERY, { authorization: "Bearer nobody" })).status).toBe(401);
});

describe("over HTTP", () => {
  test("an ETag of the body, and 304 for those who have it", async () => {
    const response = await get();
    const etag = response.headers.get("etag")!;
    expect(etag).toMatch(/^"[\w-]{24}"$/);
    expect(response.headers.get("cache-control")).toMatch(/^private, max-age=\d+$/);
    expect(response.headers.get("vary")).toMatch(/authorization/i);
    expect(response.headers.get("content-type")).toContain("application/json");
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const same = await get(QUERY, { "if-none-match": known });
      expect([known, same.status, await same.text(), same.headers.get("etag")]).toEqual([known, 304, "", etag]);
    }
    await setCohort(12);
    await publish();
    const changed = await get(QUERY, { "if-none-match": etag });
    expect(changed.status).toBe(200);
    expect(changed.headers.get("etag")).not.toBe(etag);
    await setCohort(10);
  });

  test("HEAD says the same without a body", async () => {
    const headers = { authorization: `Bearer ${t.ours.api_key}` };
    const response = await fetch(t.base + QUERY, { method: "HEAD", headers });
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect(response.headers.get("etag")).toBe((await get()).headers.get("etag"));
  });

  test("what is refused is not kept", async () => {
    const wrong = await get("/api/v1/analytics/cohorts?start=2026-06-01&end=2026-01-01");
    expect([wrong.status, wrong.headers.get("cache-control"), wrong.headers.get("etag")]).toEqual([
      400,
      "no-store",
      null,
    ]);
  });

  test("what is still being worked at is not kept", async () => {
    const response = await get(`/api/v1/analytics/questions/${randomUUID()}`);
    expect([response.status, response.headers.get("cache-control")]).toEqual([404, "no-store"]);
  });
});
