import { expect, test } from "vitest";

import { lintForRedshift } from "../../test/support/redshift-lint.ts";
import { askFunnel } from "./funnel.ts";
import { askCohorts, askProducts } from "./questions.ts";
import { manifestOf, redshiftTables } from "./tables.ts";

const range = { start: "2026-11-01T00:00:00Z", end: "2026-12-01T00:00:00Z" };
const steps = ["product_view", "add_to_cart", "purchase"].map((event_type) => ({ event_type, conditions: [] }));
const moments = { start: Date.parse(range.start), end: Date.parse(range.end) };

test.each([
  ["products", askProducts(range)],
  ["cohorts", askCohorts(range)],
  ["funnel of sessions", askFunnel({ unit: "session", window_ms: 1_800_000, steps }, moments)],
  ["funnel of people", askFunnel({ unit: "user", window_ms: 1_800_000, steps }, moments)],
  ["funnel of one step", askFunnel({ unit: "user", window_ms: 1_000, steps: steps.slice(0, 1) }, moments)],
])("Redshift has all that is in: %s", (_, { sql }) => {
  expect(lintForRedshift(sql)).toEqual([]);
});

test.each([
  "SELECT count(*) FILTER (WHERE a) FROM events",
  "SELECT DISTINCT ON (a) a FROM events",
  "SELECT sum(a) OVER w FROM events WINDOW w AS (ORDER BY a)",
  "SELECT CAST(a AS JSON) FROM events",
  "SELECT a::date FROM events",
  "SELECT timestamp FROM events",
  "SELECT unnest(items) FROM events",
  "SELECT a FROM events QUALIFY row_number() OVER (ORDER BY a) = 1",
  "SELECT extract(epoch FROM a) FROM events",
  "SELECT a FROM generate_series(1, 2) AS s(a)",
])("refused: %s", (sql) => {
  expect(lintForRedshift(sql)).not.toEqual([]);
});

test("the tables of Spectrum have the curated columns, and name their files", () => {
  const [events = "", links = ""] = redshiftTables({
    events: "s3://lake/events.manifest",
    links: "s3://lake/links.manifest",
  });
  expect(events).toContain('"revenue_minor" BIGINT, "currency" VARCHAR(65535)');
  expect(events).toContain(
    '"items" ARRAY<STRUCT<product_id:VARCHAR(65535), category:VARCHAR(65535), quantity:DECIMAL(18,6), revenue_minor:BIGINT>>',
  );
  expect(events).toContain("STORED AS PARQUET LOCATION 's3://lake/events.manifest'");
  expect(links).toContain("LOCATION 's3://lake/links.manifest'");
  expect(JSON.parse(manifestOf([{ url: "s3://lake/a.parquet", bytes: 7 }]))).toEqual({
    entries: [{ url: "s3://lake/a.parquet", mandatory: true, meta: { content_length: 7 } }],
  });
});
