import { getIntrospectionQuery } from "graphql";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { cohortRetention, customerLtv } from "../../platform/postgres/schema.ts";
import { startTestApi, type TestApi } from "../../test/support/api.ts";

const COHORTS = `cohorts(start: "2026-01-01", end: "2026-06-01", period: month) {
  period by as_of cohorts { cohort persons periods { age persons retention revenue } } }`;
let t: TestApi;

beforeAll(async () => {
  t = await startTestApi();
  const { client_id } = t.ours;
  const row = { client_id, cohort_by: "first_purchase" as const, period: "month" as const, cohort: "2026-02-01" };
  await t.api.db.insert(cohortRetention).values([
    { ...row, age: 0, persons: 10, revenue: { EUR: 500 } },
    { ...row, age: 1, persons: 4, revenue: {} },
  ]);
  const customer = { client_id, currency: "EUR", orders: 1, first_day: "2026-01-01", last_day: "2026-01-02" };
  // More than fits into GraphQL's own Int.
  const money = { revenue_minor: 9_000_000_000, average_order_minor: 9_000_000_000, purchase_days: 1 };
  await t.api.db.insert(customerLtv).values(["user:1", "user:2"].map((person) => ({ ...customer, ...money, person })));
});
afterAll(() => t.close());

async function ask(query: string, { variables, key }: { variables?: object; key?: string } = {}) {
  return t.call("POST", "/api/v1/graphql", { body: { query, variables }, ...(key !== undefined && { key }) });
}

describe("the same by REST and by GraphQL", () => {
  test("cohorts", async () => {
    const rest = await t.call("GET", "/api/v1/analytics/cohorts?start=2026-01-01&end=2026-06-01&period=month");
    const { status, body } = await ask(`{ ${COHORTS} }`);
    expect({ status, body }).toEqual({ status: 200, body: { data: { cohorts: rest.body } } });
    expect(rest.body.cohorts[0].persons).toBe(10);
  });

  test("a page of customers, by variables", async () => {
    const path = "/api/v1/analytics/ltv?currency=EUR&limit=1";
    const rest = await t.call("GET", path);
    const query = `query ($limit: Int) { ltv(currency: "EUR", limit: $limit) { currency next_cursor customers { person revenue_minor } } }`;
    const { body } = await ask(query, { variables: { limit: 1 } });
    const [customer] = rest.body.customers;
    expect(body.data.ltv).toEqual({
      currency: "EUR",
      next_cursor: rest.body.next_cursor,
      customers: [{ person: customer.person, revenue_minor: 9_000_000_000 }],
    });
  });

  test("what is asked twice is worked out once", async () => {
    const before = await computed();
    const { body } = await ask(`{ a: ${COHORTS} b: ${COHORTS} }`);
    expect(body.data.a).toEqual(body.data.b);
    expect((await computed()) - before).toBeLessThanOrEqual(1);
  });
});

async function computed(): Promise<number> {
  const { values } = await t.api.metrics.registry.getSingleMetric("livora_api_cached_total")!.get();
  const ours = values.filter(({ labels }) => labels["operation"] === "getCohorts" && labels["outcome"] === "computed");
  return ours.reduce((sum, { value }) => sum + value, 0);
}

test("another client sees its own", async () => {
  const { body } = await ask(`{ ${COHORTS} }`, { key: t.theirs.api_key });
  expect(body.data.cohorts.cohorts).toEqual([]);
});

test("a report that is refused says so as its route would; the others are answered", async () => {
  const { status, body } = await ask(`{ bad: cohorts(start: "2026-06-01", end: "2026-01-01") { period } ${COHORTS} }`);
  expect(status).toBe(200);
  expect(body.data).toMatchObject({ bad: null, cohorts: { period: "month" } });
  expect(body.errors[0].extensions).toMatchObject({ code: "invalid", status: 400, errors: [{ path: "/end" }] });
});

test("the schema may be asked for", async () => {
  const { status, body } = await ask(getIntrospectionQuery());
  expect({ status, body }).toMatchObject({
    status: 200,
    body: { data: { __schema: { queryType: { name: "Query" } } } },
  });
  expect(body.errors).toBeUndefined();
});

describe("what is refused", () => {
  test("without a key, or one that may not read", async () => {
    expect((await ask(`{ ${COHORTS} }`, { key: "nobody" })).status).toBe(401);
    expect((await ask(`{ ${COHORTS} }`, { key: await t.addKey(["ingest"]) })).status).toBe(403);
  });

  test.each([
    ["no query", { query: "" }, 400],
    ["no object", [], 400],
    ["no variables", { query: "{ __typename }", variables: "a" }, 400],
  ])("%s", async (_, body, status) => {
    expect((await t.call("POST", "/api/v1/graphql", { body })).status).toBe(status);
  });

  test.each([
    ["no GraphQL", "{ cohorts("],
    ["nothing that is there", "{ everything }"],
    ["too many reports", `{ ${Array.from({ length: 11 }, (_, nth) => `a${nth}: ${COHORTS}`).join(" ")} }`],
    ["too long a text", `{ ${"cohorts ".repeat(3_100)} }`],
    [
      "too deep a look into the schema",
      `{ __schema { types { ${"fields { type { ".repeat(8)} name ${"} } ".repeat(8)} } } }`,
    ],
    ["an argument that is none", `{ cohorts(start: 5, end: "2026-02-01") { period } }`],
  ])("%s stands in errors", async (_, query) => {
    const { status, body } = await ask(query);
    expect([status, body.data]).toEqual([200, undefined]);
    expect(body.errors.length).toBeGreaterThan(0);
    const strict = await t.call("POST", "/api/v1/graphql", {
      body: { query },
      headers: { accept: "application/graphql-response+json" },
    });
    expect([strict.status, strict.headers.get("content-type")]).toEqual([
      400,
      "application/graphql-response+json; charset=utf-8",
    ]);
  });
});
