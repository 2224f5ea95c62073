import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { buildCustomerLtv } from "../analytics/etl/aggregates/customer-ltv.ts";
import { ltvModelSchema } from "../analytics/lifetime-value/answer-ltv-model.ts";
import { lifetimeSchema } from "../analytics/reports/lifetime.ts";
import { ltvSchema } from "../analytics/reports/ltv.ts";
import { forgetCached } from "../platform/cache.ts";
import { builds, contacts, personDays, purchases } from "../platform/postgres/schema.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";
import { type PurchaseRow, readCdnowPurchases } from "../test/support/cdnow-purchases.ts";
import { stackConfig } from "../test/support/stack-config.ts";
import { createTemporalNamespace } from "../test/support/temporal-namespace.ts";
import { startTemporalWorker, type TemporalWorker } from "../test/support/temporal-worker.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { createAdHocWorker } from "../workers/ad-hoc.ts";
import { questionSchema } from "./routes/analytics/question.ts";

const UNTIL = "1997-09-30";
const bought = readCdnowPurchases();
let t: TestApi;
let worker: TemporalWorker | undefined;

beforeAll(async () => {
  const namespace = await createTemporalNamespace(stackConfig().LIVORA_TEMPORAL_ADDRESS);
  t = await startTestApi({ LIVORA_TEMPORAL_NAMESPACE: namespace });
  const { client_id } = t.ours;
  await insertPurchases(client_id, bought);
  await setVersion("1");
  await buildCustomerLtv(t.api.db, client_id, UNTIL);
});
afterAll(async () => {
  await worker?.close();
  await t.close();
});

async function insertPurchases(client_id: string, rows: readonly PurchaseRow[]): Promise<void> {
  for (let i = 0; i < rows.length; i += 2_000) {
    const values = rows.slice(i, i + 2_000).map(({ person, day, revenue_minor, nth }) => ({
      client_id,
      day,
      event_id: `${person}-${nth}`,
      person,
      order_id: `order-${person}-${nth}`,
      at: `${day}T12:00:00Z`,
      currency: "USD",
      revenue_minor,
      source: nth === 0 ? "ads" : null,
    }));
    await t.api.db.insert(purchases).values(values);
  }
}

/** As ETL does it when days have been built anew. */
async function setVersion(digest: string): Promise<void> {
  const row = { client_id: t.ours.client_id, aggregate: "purchases", day: "1997-01-01", digest, sources: [], rows: 1 };
  await t.api.db
    .insert(builds)
    .values(row)
    .onConflictDoUpdate({ target: [builds.client_id, builds.aggregate, builds.day], set: { digest } });
  await forgetCached(t.api.redis, t.ours.client_id);
}

const get = (path: string, key?: string) => t.call("GET", `/api/v1${path}`, key === undefined ? {} : { key });

describe("the model of any day", () => {
  const path = `/analytics/ltv/model?observed_until=${UNTIL}`;

  test("while nobody answers: 202, and where to look", async () => {
    const asked = await get(path);
    expect(asked.status).toBe(202);
    expect(questionSchema.parse(asked.body)).toMatchObject({ state: "running", answer: null });
    expect((await get(asked.body.href.slice("/api/v1".length))).body).toMatchObject({ state: "running" });
    expect((await get(asked.body.href.slice("/api/v1".length), t.theirs.api_key)).status).toBe(404);
    worker = await startTemporalWorker(t.api.config, (connection) => createAdHocWorker(t.api, connection));
    await waitUntil(async () => (await get(asked.body.href.slice("/api/v1".length))).body.state === "done");
    const { answer } = (await get(asked.body.href.slice("/api/v1".length))).body;
    expect((await get(path)).body).toEqual(answer);
  });

  test("CDNOW's sample gives what was published", async () => {
    const { status, body } = await get(path);
    expect(status).toBe(200);
    const { bg_nbd, gamma_gamma, ...rest } = ltvModelSchema.parse(body);
    expect(rest).toEqual({ customers: 2_357, time_unit: "week", currency: "USD", observed_until: UNTIL });
    expect(bg_nbd!.r).toBeCloseTo(0.243, 3);
    expect(bg_nbd!.alpha).toBeCloseTo(4.414, 3);
    expect(bg_nbd!.a).toBeCloseTo(0.793, 3);
    expect(bg_nbd!.b).toBeCloseTo(2.426, 3);
    expect(bg_nbd!.log_likelihood).toBeCloseTo(-9582.4, 1);
    expect(gamma_gamma!.p).toBeCloseTo(6.25, 2);
    expect(gamma_gamma!.q).toBeCloseTo(3.74, 2);
    expect(gamma_gamma!.v).toBeCloseTo(15.44, 1);
  });

  test("an answer is kept until the data change, and then worked out anew", async () => {
    const { client_id } = t.ours;
    const before = (await get(path)).body;
    const late = { person: "user:late", day: "1997-03-01", revenue_minor: 1_000, nth: 0 };
    await insertPurchases(client_id, [late]);
    expect((await get(path)).body).toEqual(before);
    await setVersion("2");
    expect((await get(path)).body).toMatchObject({ customers: 2_358 });
  });

  test("another client sees nothing of it; nobody bought: no model, and no error", async () => {
    const { body } = await get(path, t.theirs.api_key);
    expect(body).toMatchObject({ customers: 0, bg_nbd: null, gamma_gamma: null, currency: null });
  });

  test.each([
    ["observed_until=1997-02-30", "/observed_until"],
    ["observed_until=yesterday", "/observed_until"],
    [`observed_until=${UNTIL}&currency=DOLLAR`, "/currency"],
  ])("%s is refused, and it is said why", async (query, pointer) => {
    const { status, body } = await get(`/analytics/ltv/model?${query}`);
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain(pointer);
  });
});

describe("lifetime values", () => {
  test("all customers are there once, highest first, and sum up to the summary", async () => {
    const all = [];
    let page = ltvSchema.parse((await get("/analytics/ltv?limit=200")).body);
    const { summary } = page;
    all.push(...page.customers);
    while (page.next_cursor !== null) {
      page = ltvSchema.parse((await get(`/analytics/ltv?limit=200&cursor=${page.next_cursor}`)).body);
      all.push(...page.customers);
    }
    expect(page).toMatchObject({ currency: "USD", observed_until: UNTIL });
    expect(new Set(all.map((one) => one.person)).size).toBe(2_357);
    const values = all.map((one) => one.predicted_minor!);
    expect(values).toEqual(values.toSorted((a, b) => b - a));
    expect(summary.customers).toBe(2_357);
    expect(summary.revenue_minor).toBe(bought.reduce((sum, one) => sum + one.revenue_minor, 0));
    expect(summary.orders).toBe(bought.length);
    expect(summary.predicted_minor! / values.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 9);
    const historic = (await get("/analytics/ltv?sort=historic&limit=3")).body.customers;
    const most = all.map((one) => one.revenue_minor).toSorted((a, b) => b - a);
    expect(historic.map((one: { revenue_minor: number }) => one.revenue_minor)).toEqual(most.slice(0, 3));
  });

  test("a client without purchases has an empty report; a wrong cursor is refused", async () => {
    const { body } = await get("/analytics/ltv", t.theirs.api_key);
    expect(ltvSchema.parse(body)).toMatchObject({
      currency: null,
      customers: [],
      summary: { customers: 0, orders: 0 },
    });
    expect((await get("/analytics/ltv?cursor=abc")).status).toBe(400);
    expect((await get("/analytics/ltv?currency=usd")).status).toBe(400);
  });
});

test("the lifetime of a contact", async () => {
  const { client_id } = t.ours;
  const mine = bought.filter((one) => one.person === bought.at(-1)!.person);
  const { person } = mine[0]!;
  const id = crypto.randomUUID();
  const row = {
    id,
    client_id,
    person_key: person,
    user_id: person.slice("user:".length),
    traits_at: new Date().toISOString(),
  };
  await t.api.db.insert(contacts).values(row);
  const day = { client_id, person, events: 4, last_source: "newsletter" };
  await t.api.db.insert(personDays).values([
    { ...day, day: "1997-01-01", last_at: "1997-01-01T11:00:00Z" },
    { ...day, day: "1997-09-29", last_at: "1997-09-29T10:00:00Z" },
  ]);
  const { status, body } = await get(`/contacts/${id}/lifetime`);
  expect(status).toBe(200);
  const lifetime = lifetimeSchema.parse(body);
  expect(body).toMatchObject({ contact_id: id, person });
  expect(lifetime.summary).toMatchObject({ purchases: mine.length, events: 8, first_seen: "1997-01-01" });
  expect(lifetime.summary.values).toMatchObject([
    { currency: "USD", orders: mine.length, revenue_minor: mine.reduce((sum, one) => sum + one.revenue_minor, 0) },
  ]);
  expect(lifetime.orders.map((one) => one.at)).toEqual(
    lifetime.orders
      .map((one) => one.at)
      .toSorted()
      .toReversed(),
  );
  expect(lifetime.last_touch).toEqual({ at: "1997-09-29T10:00:00.000Z", source: "newsletter" });
  expect(lifetime.scores.probability_alive).toBeGreaterThan(0);
  expect((await get(`/contacts/${id}/lifetime`, t.theirs.api_key)).status).toBe(404);
});
