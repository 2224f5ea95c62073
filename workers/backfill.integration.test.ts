import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { auditHour } from "../analytics/audit/audit-hour.ts";
import { runEtl } from "../analytics/etl/run-etl.ts";
import { hoursBetween } from "../core/audit.ts";
import { decodeEnriched } from "../core/enriched-event.ts";
import { uuidOf } from "../core/uuid.ts";
import { makeTemporaryFolder } from "../infra/local/temporary-folder.ts";
import { startIngestServer } from "../ingest/server.ts";
import { AGGREGATES, readAggregates } from "../test/support/aggregates.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";
import { type AuditSetup, setUpAudit } from "../test/support/audit-setup.ts";
import { countLake, queryLake } from "../test/support/lake-reader.ts";
import { readStream } from "../test/support/stream-reader.ts";
import { createTemporalNamespace } from "../test/support/temporal-namespace.ts";
import { waitUntil } from "../test/support/wait-until.ts";

const WORKER = new URL("../test/support/backfill-worker.ts", import.meta.url).pathname;
const folder = makeTemporaryFolder();
const configFile = join(folder, "config.json");
/** Some of the second page's: a page has a put for each lane. */
const PUTS_OF_THE_FIRST = 20;
const LINES = 1_200;
let t: TestApi;
let setup: AuditSetup;

/** The first dies in the middle; the second is ready to go on, and does everything else. */
let [mortal, heir] = [] as unknown as [WorkerProcess, WorkerProcess];

beforeAll(async () => {
  setup = await setUpAudit();
  const { config } = setup.ctx;
  const namespace = await createTemporalNamespace(config.LIVORA_TEMPORAL_ADDRESS);
  t = await startTestApi({ ...config, LIVORA_TEMPORAL_NAMESPACE: namespace, LIVORA_IMPORT_DIR: folder });
  await writeFile(configFile, JSON.stringify(t.api.config));
  [mortal, heir] = await Promise.all([startWorker(PUTS_OF_THE_FIRST), startWorker()]);
});
afterAll(async () => {
  await Promise.all([mortal, heir].map((worker) => worker?.kill()));
  await t.close();
  await setup.close();
  await rm(folder, { recursive: true, force: true });
});

type WorkerProcess = Awaited<ReturnType<typeof startWorker>>;

/** The worker in a process of its own, which waits for the word. */
async function startWorker(puts?: number) {
  const args = [WORKER, configFile, ...(puts === undefined ? [] : [String(puts)])];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "ignore"] });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  let said = "";
  child.stdout.on("data", (data: Buffer) => (said += data.toString()));
  const says = (word: string) => waitUntil(() => said.includes(word), { timeoutMs: 60_000, what: word });
  await says("ready");
  return {
    says,
    begin: () => void child.stdin.write("go\n"),
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** As the real one: without a header, the columns by white space, each customer's purchases together. */
const CDNOW = {
  format: { type: "whitespace", columns: ["customer", "date", "cds", "dollars"] },
  event: {
    event_type: "purchase",
    timestamp: { column: "date", format: "YYYYMMDD", time: "12:00", time_zone: "UTC" },
    user_id: { column: "customer" },
    props: {
      order_id: { template: "cdnow-{$line}" },
      quantity: { column: "cds", type: "integer" },
      revenue: { column: "dollars", type: "decimal" },
      currency: "USD",
    },
  },
};

/** What does not say which way an event has come. */
const SAME = `* EXCLUDE (client_id, received_at, request_id, source_shard, source_sequence, source_index, raw)`;

/** A year ago: from a letter to the log-in to the purchase. */
function visitOf(i: number): object[] {
  const context = {
    page: { url: "https://shop.example/?utm_source=letter" },
    user_agent: "Mozilla/5.0 (X11) Firefox/140.0",
  };
  return ["page_view", "add_to_cart", "purchase"].map((event_type, n) => ({
    event_id: uuidOf("visit", String(i), event_type),
    timestamp: new Date(Date.UTC(2025, 10, 1 + i, 10, n)).toISOString(),
    session_id: `visit-${i}`,
    anon_id: `device-${i}`,
    ...(n === 2 && { user_id: `buyer-${i}` }),
    event_type,
    props: { product_id: `p${i}`, category: `c${i % 3}`, price: 19.9, currency: "EUR" },
    ...(n === 0 && { context }),
  }));
}

function purchases(count: number): string {
  return Array.from({ length: count }, (_, i) => {
    const day = new Date(Date.UTC(1997, 0, 1 + (i % 50))).toISOString().slice(0, 10).replaceAll("-", "");
    return ` ${String(i >> 2).padStart(5, "0")} ${day} ${1 + (i % 5)}  ${(7 + i / 100).toFixed(2)}`;
  }).join("\n");
}

async function send(file: string | Buffer, mapping: object, { query = "", rate = 20_000 } = {}) {
  const form = new FormData();
  form.set("mapping", JSON.stringify(mapping));
  form.set("rate_per_second", String(rate));
  form.set("file", new Blob([new Uint8Array(Buffer.from(file))]), "history.txt");
  const headers = { authorization: `Bearer ${t.ours.api_key}` };
  const response = await fetch(`${t.base}/api/v1/backfills${query}`, { method: "POST", headers, body: form });
  const body = (await response.json()) as { backfill_id: string };
  expect([response.status, body]).toMatchObject([202, { state: "running" }]);
  return body.backfill_id;
}

const look = async (id: string) => (await t.call("GET", `/api/v1/backfills/${id}`)).body;

async function finished(id: string) {
  await waitUntil(async () => !["running", "paused"].includes((await look(id)).state), { timeoutMs: 60_000 });
  return look(id);
}

const lake = () => countLake(setup.lake.root, t.ours.client_id);
const rows = (sql: string) => queryLake(setup.lake.root, sql, t.ours.client_id);

/** As the other client's traffic, to an edge of its own. */
async function postLive(events: readonly object[]): Promise<void> {
  const edge = await startIngestServer(setup.ctx);
  const headers = {
    authorization: `Bearer ${t.theirs.api_key}`,
    "x-client-id": t.theirs.client_id,
    "content-type": "application/json",
  };
  const body = JSON.stringify(events);
  const response = await fetch(`http://127.0.0.1:${edge.port}/v1/events`, { method: "POST", headers, body });
  expect(response.status).toBe(202);
  await edge.close();
}

const readVisits = (client: string) =>
  queryLake(setup.lake.root, `SELECT ${SAME} FROM events WHERE session_id LIKE 'visit-%' ORDER BY event_id`, client);

/** Rows of the lake, of each of the two clients. */
async function countOf(condition: string): Promise<number[]> {
  const found = [t.ours, t.theirs].map(({ client_id }) =>
    queryLake(setup.lake.root, `SELECT 1 FROM events WHERE ${condition}`, client_id),
  );
  return (await Promise.all(found)).map(({ length }) => length);
}

/** How many records it has. */
const stream = async () => (await readStream(setup.ctx.kinesis, setup.ctx.config.LIVORA_STREAM_EVENTS)).length;

/** Over the hours since then: mostly one. */
async function auditSince(fromMs: number) {
  const sum = { unexplained: 0, in_lake: 0, dropped: 0 };
  for (const hourMs of hoursBetween(fromMs, Date.now())) {
    const [hour] = await auditHour(setup.deps, { hourMs, clientId: t.ours.client_id });
    for (const name of ["unexplained", "in_lake", "dropped"] as const) sum[name] += hour?.[name] ?? 0;
  }
  return sum;
}

async function enrichedOf(person: string) {
  const records = await readStream(setup.ctx.kinesis, setup.ctx.config.LIVORA_STREAM_ENRICHED);
  const enriched = records.flatMap(({ parts }) => parts.map(({ data }) => decodeEnriched(data)));
  return enriched.filter((event) => event.person.key === person);
}

describe("history from a file", { timeout: 120_000 }, () => {
  test("a worker that dies in the middle: another goes on, and each line has its effect once", async () => {
    const begunMs = Date.now();
    const file = purchases(LINES);
    const id = await send(file, CDNOW);
    mortal.begin();
    await mortal.says("deaf");
    await mortal.kill();
    expect(await look(id)).toMatchObject({ state: "running", read: 500 });
    heir.begin();
    expect(await finished(id)).toMatchObject({ state: "done", read: LINES, accepted: LINES, rejected: 0 });
    // Once more the whole file, packed: the same lines, the same ids.
    expect(await finished(await send(gzipSync(file), CDNOW))).toMatchObject({ state: "done", accepted: LINES });
    await waitUntil(async () => (await lake()).rows === LINES, { timeoutMs: 30_000 });
    await setup.rest();
    const audited = await auditSince(begunMs);
    expect(audited).toMatchObject({ unexplained: 0, in_lake: LINES });
    // What the first had put there and not written down came twice, too.
    expect(audited.dropped).toBeGreaterThan(LINES);
    expect(await lake()).toEqual({ rows: LINES, ids: LINES });
    const [sums] = await rows(`SELECT count(DISTINCT user_id)::INT AS users, min(timestamp)::VARCHAR AS first,
      sum((props->>'revenue')::DECIMAL(12,2))::VARCHAR AS revenue, sum((props->>'quantity')::INT)::INT AS cds FROM events`);
    const cents = Array.from({ length: LINES }, (_, i) => 700 + i).reduce((a, b) => a + b, 0);
    expect(sums).toEqual({ users: 300, first: "1997-01-01 12:00:00", revenue: (cents / 100).toFixed(2), cds: 3_600 });
  });

  test("a dry run says what would be refused, and why, and puts nothing on the stream", async () => {
    const before = await stream();
    const file = `${purchases(40)}\n 00099 19970231 1 2.00\n 00099 19970201 one 2.00\n 00099 19970201 1\n`;
    const done = await finished(await send(file, CDNOW, { query: "?dry_run=true" }));
    expect(done).toMatchObject({ state: "done", is_dry_run: true, read: 43, accepted: 40, rejected: 3, progress: 1 });
    expect(done.rejects).toEqual([
      { line: 41, path: "/timestamp", reason: "not a day and time of the calendar" },
      { line: 42, path: "/props/quantity", reason: "not an integer" },
      { line: 43, path: "", reason: "has 3 columns, not 4" },
    ]);
    const all = await fetch(`${t.base}/api/v1/backfills/${done.backfill_id}/rejects`, {
      headers: { authorization: `Bearer ${t.ours.api_key}` },
    });
    expect(
      (await all.text())
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as object),
    ).toEqual(done.rejects);
    expect(await stream()).toBe(before);
  });

  test("makes the same rows of the lake as live traffic does", async () => {
    const visits = Array.from({ length: 12 }, (_, i) => visitOf(i)).flat();
    await postLive(visits.map((event) => ({ ...event, client_id: t.theirs.client_id })));
    const lines = visits.map((event) => JSON.stringify(event)).join("\n");
    const id = await send(lines, { format: { type: "jsonl" }, as_is: true });
    expect(await finished(id)).toMatchObject({ accepted: visits.length, rejected: 0 });
    await waitUntil(async () => (await countOf("session_id LIKE 'visit-%'")).every((n) => n === visits.length));
    const [ours, theirs] = await Promise.all([t.ours, t.theirs].map(({ client_id }) => readVisits(client_id)));
    expect(ours).toEqual(theirs);
    expect(ours?.filter((row) => row["utm_source"] === "letter")).toHaveLength(12);
    expect(new Set(ours?.map((row) => row["session_source"]))).toEqual(new Set(["letter"]));
  });

  test("makes the same aggregates as live traffic does, also by way of a mapping", async () => {
    const lines = Array.from({ length: 90 }, (_, i) => {
      const day = new Date(Date.UTC(2001, 0, 1 + ((i * 7) % 20))).toISOString().slice(0, 10);
      return { customer: `old-${i % 40}`, day, cds: 1 + (i % 5), dollars: (5 + ((i * 73) % 900) / 10).toFixed(2) };
    });
    const live = lines.map(({ customer, day, cds, dollars }, i) => ({
      client_id: t.theirs.client_id,
      event_id: uuidOf("old", String(i)),
      timestamp: `${day}T12:00:00Z`,
      user_id: customer,
      event_type: "purchase",
      props: { order_id: `cdnow-${i + 1}`, quantity: cds, revenue: Number(dollars), currency: "USD" },
    }));
    await postLive(live);
    const file = lines.map(
      ({ customer, day, cds, dollars }) => ` ${customer} ${day.replaceAll("-", "")} ${cds} ${dollars}`,
    );
    expect(await finished(await send(file.join("\n"), CDNOW))).toMatchObject({ accepted: lines.length, rejected: 0 });
    await waitUntil(async () => (await countOf("user_id LIKE 'old-%'")).every((n) => n === lines.length), {
      timeoutMs: 60_000,
    });
    for (const { client_id } of [t.ours, t.theirs]) await runEtl(setup.deps, { client_id, run_id: randomUUID() });
    const both = [t.ours, t.theirs].map(({ client_id }) => readAggregates(setup.ctx.db, client_id, [2001, 2025]));
    const [ours = {}, theirs] = await Promise.all(both);
    expect(ours).toEqual(theirs);
    const sizes = Object.entries(ours).map(([table, found]) => `${table} ${found.length > 0}`);
    expect(sizes).toEqual(Object.keys(AGGREGATES).map((table) => `${table} true`));
    const cents = lines.reduce((sum, { dollars }) => sum + Math.round(Number(dollars) * 100), 0);
    const bought = ours["purchases"]?.filter(({ order_id }) => String(order_id).startsWith("cdnow-"));
    expect(bought?.reduce((sum, { revenue_minor }) => sum + Number(revenue_minor), 0)).toBe(cents);
  });

  test("is marked as such all the way, also what happened a minute ago", async () => {
    const now = new Date(Date.now() - 60_000).toISOString();
    const events = ["add_to_cart", "page_view"].map((event_type) => ({
      timestamp: now,
      user_id: "recent",
      event_type,
    }));
    const mapping = { format: { type: "jsonl" }, as_is: true };
    const id = await send(events.map((event) => JSON.stringify(event)).join("\n"), mapping);
    expect(await finished(id)).toMatchObject({ state: "done", accepted: 2 });
    await waitUntil(async () => (await enrichedOf("user:recent")).length === 2);
    const mine = await enrichedOf("user:recent");
    expect(mine).toMatchObject([
      { event_type: "add_to_cart", backfill_id: id },
      { event_type: "page_view", backfill_id: id },
    ]);
    expect(mine[0]?.request_id).toContain(`backfill:${id}:`);
  });

  test("is read from Parquet, from the folder for imports, and ends with a word of it where it is broken", async () => {
    const path = join(folder, "orders.parquet");
    await setup.deps.warehouse.use((connection) =>
      connection.run(`COPY (SELECT 'parquet-' || i AS customer, TIMESTAMPTZ '2024-05-01 10:00:00+02' AS at, (i + 0.5)::DECIMAL(9,2) AS total
        FROM range(600) r(i)) TO '${path}' (FORMAT parquet)`),
    );
    const mapping = {
      format: { type: "parquet" },
      event: {
        event_type: "order",
        timestamp: { column: "at" },
        user_id: { column: "customer" },
        props: { total: { column: "total", type: "decimal" } },
      },
    };
    const ask = async (name: string) =>
      (await t.call("POST", "/api/v1/backfills", { body: { path: name, mapping, rate_per_second: 20_000 } })).body;
    expect(await finished((await ask("orders.parquet")).backfill_id)).toMatchObject({ state: "done", accepted: 600 });
    const ofParquet = "FROM events WHERE event_type = 'order'";
    await waitUntil(async () => (await rows(`SELECT 1 ${ofParquet}`)).length === 600);
    const [sum] = await rows(
      `SELECT sum((props->>'total')::DECIMAL(12,2))::VARCHAR AS total, max(timestamp)::VARCHAR AS at ${ofParquet}`,
    );
    expect(sum).toEqual({ total: "180000.00", at: "2024-05-01 08:00:00" });

    await writeFile(join(folder, "half.parquet"), (await readFile(path)).subarray(0, 2_000));
    expect(await finished((await ask("half.parquet")).backfill_id)).toMatchObject({
      state: "failed",
      accepted: 0,
      failure: { message: "The file is not whole Parquet: it must begin and end with PAR1." },
    });
  });

  test("pauses, goes on, and is cancelled", async () => {
    const id = await send(purchases(1_000).replaceAll(" 0", " 7"), CDNOW, { rate: 20 });
    const steer = async (verb: string) => (await t.call("POST", `/api/v1/backfills/${id}/${verb}`)).status;
    expect(await steer("pause")).toBe(200);
    await waitUntil(async () => (await look(id)).state === "paused");
    expect(await steer("resume")).toBe(200);
    await waitUntil(async () => (await look(id)).state === "running");
    expect(await steer("cancel")).toBe(200);
    const ended = await finished(id);
    expect(ended.state).toBe("cancelled");
    expect(ended.read).toBeLessThan(1_000);
    expect(await steer("resume")).toBe(409);
  });
});
