import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { cohortRetention, customerLtv } from "../platform/postgres/schema.ts";
import { createWarehouse, quote, type Warehouse } from "../platform/warehouse/duckdb.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";
import { waitUntil } from "../test/support/wait-until.ts";

const COHORTS = "/api/v1/analytics/cohorts?start=2026-01-01&end=2026-06-01";
const PEOPLE = 6_000;
const ODD = '=HYPERLINK("http://a.example","ü, 漢")';
let t: TestApi;
let folder: string;
let warehouse: Warehouse;

beforeAll(async () => {
  t = await startTestApi();
  const { client_id } = t.ours;
  const base = { client_id, cohort_by: "first_purchase" as const, period: "month" as const, cohort: "2026-02-01" };
  await t.api.db.insert(cohortRetention).values([
    { ...base, age: 0, persons: 10, revenue: { EUR: 500 } },
    { ...base, age: 1, persons: 4, revenue: {} },
  ]);
  const customers = Array.from({ length: PEOPLE }, (_, nth) => ({
    client_id,
    person: nth === 0 ? ODD : `user:${nth}`,
    currency: "EUR",
    orders: 1,
    revenue_minor: nth,
    average_order_minor: nth,
    first_day: "2026-01-01",
    last_day: "2026-01-02",
    purchase_days: 1,
  }));
  for (let from = 0; from < PEOPLE; from += 1_000) {
    await t.api.db.insert(customerLtv).values(customers.slice(from, from + 1_000));
  }
  folder = await mkdtemp(join(tmpdir(), "livora-export-test-"));
  warehouse = createWarehouse({ memoryLimit: "64MB", threads: 1, tempFolder: join(folder, "spill") });
});
afterAll(async () => {
  await warehouse.close();
  await rm(folder, { recursive: true, force: true });
  await t.close();
});

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(t.base + path, { headers: { authorization: `Bearer ${t.ours.api_key}`, ...headers } });

async function readFile(response: Response, read: "read_parquet" | "read_csv") {
  const path = join(folder, crypto.randomUUID());
  await writeFile(path, Buffer.from(await response.arrayBuffer()));
  return warehouse.use(async (connection) => {
    const reader = await connection.runAndReadAll(`SELECT * FROM ${read}(${quote(path)})`);
    return { names: reader.columnNames(), types: reader.columnTypes().map(String), rows: reader.getRowObjectsJson() };
  });
}

test("CSV, by format or by Accept: a row for each entry, also of lists within", async () => {
  for (const response of [await get(`${COHORTS}&format=csv`), await get(COHORTS, { accept: "text/csv" })]) {
    expect(response.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="cohorts.csv"');
    expect(await response.text()).toBe(
      "cohort,persons,periods_age,periods_persons,periods_retention,periods_revenue\r\n" +
        '2026-02-01,10,0,10,1,"{""EUR"":500}"\r\n2026-02-01,10,1,4,0.4,{}\r\n',
    );
  }
});

test("Parquet, with types", async () => {
  const response = await get(COHORTS, { accept: "application/vnd.apache.parquet" });
  expect(response.headers.get("content-type")).toBe("application/vnd.apache.parquet");
  const { names, types, rows } = await readFile(response, "read_parquet");
  expect(names[0]).toBe("cohort");
  expect(types).toEqual(["DATE", "BIGINT", "BIGINT", "BIGINT", "DOUBLE", "VARCHAR"]);
  expect(rows.map((row) => [row["cohort"], row["periods_persons"], row["periods_retention"]])).toEqual([
    ["2026-02-01", "10", 1],
    ["2026-02-01", "4", 0.4],
  ]);
});

test("the whole list, not a page of it, and what looks like a formula is text", async () => {
  const path = "/api/v1/analytics/ltv?currency=EUR&sort=historic&limit=3";
  const csv = await (await get(`${path}&format=csv`)).text();
  const lines = csv.split("\r\n");
  expect(lines.length).toBe(PEOPLE + 2);
  expect(lines.at(-2)).toMatch(/^"'=HYPERLINK\(""http:\/\/a\.example"",""ü, 漢""\)",1,0,/);
  const parquet = await readFile(await get(`${path}&format=parquet`), "read_parquet");
  expect(new Set(parquet.rows.map((row) => row["person"])).size).toBe(PEOPLE);
  // Nothing is put before it where nobody takes it for a formula.
  expect(parquet.rows.at(-1)!["person"]).toBe(ODD);
  expect(parquet.rows[0]!["revenue_minor"]).toBe(String(PEOPLE - 1));
});

test("nothing stays on disk", async () => {
  const before = new Set(await readdir(tmpdir()));
  const response = await get(`${COHORTS}&format=parquet`);
  expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(0);
  const isNew = (name: string) => name.startsWith("livora-export-") && !before.has(name);
  await waitUntil(async () => !(await readdir(tmpdir())).some(isNew));
});

test("empty, and another client's: a file with its columns", async () => {
  const headers = { authorization: `Bearer ${t.theirs.api_key}` };
  expect((await (await get(`${COHORTS}&format=csv`, headers)).text()).split("\r\n").length).toBe(2);
  const { names, rows } = await readFile(await get(`${COHORTS}&format=parquet`, headers), "read_parquet");
  expect([names.length, rows.length]).toEqual([6, 0]);
});

describe("what is refused", () => {
  test.each([
    [`${COHORTS}&format=xlsx`, "/format"],
    [`${COHORTS}&format=csv&format=json`, "/format"],
    ["/api/v1/analytics/cohorts?start=2026-06-01&end=2026-01-01&format=csv", "/end"],
    ["/api/v1/analytics/ltv/model?format=csv", "/format"],
  ])("%s", async (path, pointer) => {
    const response = await get(path);
    const problem = (await response.json()) as { errors: { path: string }[] };
    expect([response.status, problem.errors[0]?.path]).toEqual([400, pointer]);
  });

  test("who may not read", async () => {
    const key = await t.addKey(["ingest"]);
    expect((await get(`${COHORTS}&format=csv`, { authorization: `Bearer ${key}` })).status).toBe(403);
  });

  test("JSON is what is had where nothing is said, or anything is taken", async () => {
    for (const accept of ["*/*", "application/json", "text/csv;q=0.1, application/json", "text/html"]) {
      expect((await get(COHORTS, { accept })).headers.get("content-type")).toContain("application/json");
    }
  });
});
