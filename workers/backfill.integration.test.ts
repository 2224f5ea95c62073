import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { auditHour } from "../analytics/audit/audit-hour.ts";
import { hoursBetween } from "../core/audit.ts";
import { decodeEnriched } from "../core/enriched-event.ts";
import { type BackfillScene, CDNOW, createBackfillScene } from "../test/support/backfill-scene.ts";
import { countLake } from "../test/support/lake-reader.ts";
import { readStream } from "../test/support/stream-reader.ts";
import { waitUntil } from "../test/support/wait-until.ts";

/** Some of the second page's: a page has a put for each lane. */
const PUTS_OF_THE_FIRST = 20;
const LINES = 1_200;
let scene: BackfillScene;
beforeAll(async () => {
  scene = await createBackfillScene([PUTS_OF_THE_FIRST, undefined]);
});
afterAll(() => scene?.close());

function purchases(count: number): string {
  return Array.from({ length: count }, (_, i) => {
    const day = new Date(Date.UTC(1997, 0, 1 + (i % 50))).toISOString().slice(0, 10).replaceAll("-", "");
    return ` ${String(i >> 2).padStart(5, "0")} ${day} ${1 + (i % 5)}  ${(7 + i / 100).toFixed(2)}`;
  }).join("\n");
}

const lake = () => countLake(scene.setup.lake.root, scene.t.ours.client_id);

/** How many records it has. */
const stream = async () =>
  (await readStream(scene.setup.ctx.kinesis, scene.setup.ctx.config.LIVORA_STREAM_EVENTS)).length;

/** Over the hours since then: mostly one. */
async function auditSince(fromMs: number) {
  const sum = { unexplained: 0, in_lake: 0, dropped: 0 };
  for (const hourMs of hoursBetween(fromMs, Date.now())) {
    const [hour] = await auditHour(scene.setup.deps, { hourMs, clientId: scene.t.ours.client_id });
    for (const name of ["unexplained", "in_lake", "dropped"] as const) sum[name] += hour?.[name] ?? 0;
  }
  return sum;
}

async function enrichedOf(person: string) {
  const records = await readStream(scene.setup.ctx.kinesis, scene.setup.ctx.config.LIVORA_STREAM_ENRICHED);
  const enriched = records.flatMap(({ parts }) => parts.map(({ data }) => decodeEnriched(data)));
  return enriched.filter((event) => event.person.key === person);
}

describe("history from a file", { timeout: 120_000 }, () => {
  test("a worker that dies in the middle: another goes on, and each line has its effect once", async () => {
    const begunMs = Date.now();
    const [mortal, heir] = scene.workers;
    const file = purchases(LINES);
    const id = await scene.send(file, CDNOW);
    mortal!.begin();
    await mortal!.says("deaf");
    await mortal!.kill();
    expect(await scene.look(id)).toMatchObject({ state: "running", read: 500 });
    heir!.begin();
    expect(await scene.finished(id)).toMatchObject({ state: "done", read: LINES, accepted: LINES, rejected: 0 });
    // Once more the whole file, packed: the same lines, the same ids.
    expect(await scene.finished(await scene.send(gzipSync(file), CDNOW))).toMatchObject({
      state: "done",
      accepted: LINES,
    });
    await waitUntil(async () => (await lake()).rows === LINES, { timeoutMs: 30_000 });
    await scene.setup.rest();
    const audited = await auditSince(begunMs);
    expect(audited).toMatchObject({ unexplained: 0, in_lake: LINES });
    // What the first had put there and not written down came twice, too.
    expect(audited.dropped).toBeGreaterThan(LINES);
    expect(await lake()).toEqual({ rows: LINES, ids: LINES });
    const [sums] = await scene.rows(`SELECT count(DISTINCT user_id)::INT AS users, min(timestamp)::VARCHAR AS first,
      sum((props->>'revenue')::DECIMAL(12,2))::VARCHAR AS revenue, sum((props->>'quantity')::INT)::INT AS cds FROM events`);
    const cents = Array.from({ length: LINES }, (_, i) => 700 + i).reduce((a, b) => a + b, 0);
    expect(sums).toEqual({ users: 300, first: "1997-01-01 12:00:00", revenue: (cents / 100).toFixed(2), cds: 3_600 });
  });

  test("a dry run says what would be refused, and why, and puts nothing on the stream", async () => {
    const before = await stream();
    const file = `${purchases(40)}\n 00099 19970231 1 2.00\n 00099 19970201 one 2.00\n 00099 19970201 1\n`;
    const done = await scene.finished(await scene.send(file, CDNOW, { query: "?dry_run=true" }));
    expect(done).toMatchObject({ state: "done", is_dry_run: true, read: 43, accepted: 40, rejected: 3, progress: 1 });
    expect(done.rejects).toEqual([
      { line: 41, path: "/timestamp", reason: "not a day and time of the calendar" },
      { line: 42, path: "/props/quantity", reason: "not an integer" },
      { line: 43, path: "", reason: "has 3 columns, not 4" },
    ]);
    const all = await fetch(`${scene.t.base}/api/v1/backfills/${done.backfill_id}/rejects`, {
      headers: { authorization: `Bearer ${scene.t.ours.api_key}` },
    });
    expect(
      (await all.text())
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as object),
    ).toEqual(done.rejects);
    expect(await stream()).toBe(before);
  });

  test("is marked as such all the way, also what happened a minute ago", async () => {
    const now = new Date(Date.now() - 60_000).toISOString();
    const events = ["add_to_cart", "page_view"].map((event_type) => ({
      timestamp: now,
      user_id: "recent",
      event_type,
    }));
    const mapping = { format: { type: "jsonl" }, as_is: true };
    const id = await scene.send(events.map((event) => JSON.stringify(event)).join("\n"), mapping);
    expect(await scene.finished(id)).toMatchObject({ state: "done", accepted: 2 });
    await waitUntil(async () => (await enrichedOf("user:recent")).length === 2);
    const mine = await enrichedOf("user:recent");
    expect(mine).toMatchObject([
      { event_type: "add_to_cart", backfill_id: id },
      { event_type: "page_view", backfill_id: id },
    ]);
    expect(mine[0]?.request_id).toContain(`backfill:${id}:`);
  });

  test("is read from Parquet, from the folder for imports, and ends with a word of it where it is broken", async () => {
    const path = join(scene.folder, "orders.parquet");
    await scene.setup.deps.warehouse.use((connection) =>
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
      (await scene.t.call("POST", "/api/v1/backfills", { body: { path: name, mapping, rate_per_second: 20_000 } }))
        .body;
    expect(await scene.finished((await ask("orders.parquet")).backfill_id)).toMatchObject({
      state: "done",
      accepted: 600,
    });
    const ofParquet = "FROM events WHERE event_type = 'order'";
    await waitUntil(async () => (await scene.rows(`SELECT 1 ${ofParquet}`)).length === 600);
    const [sum] = await scene.rows(
      `SELECT sum((props->>'total')::DECIMAL(12,2))::VARCHAR AS total, max(timestamp)::VARCHAR AS at ${ofParquet}`,
    );
    expect(sum).toEqual({ total: "180000.00", at: "2024-05-01 08:00:00" });

    await writeFile(join(scene.folder, "half.parquet"), (await readFile(path)).subarray(0, 2_000));
    expect(await scene.finished((await ask("half.parquet")).backfill_id)).toMatchObject({
      state: "failed",
      accepted: 0,
      failure: { message: "The file is not whole Parquet: it must begin and end with PAR1." },
    });
  });

  test("pauses, goes on, and is cancelled", async () => {
    const id = await scene.send(purchases(1_000).replaceAll(" 0", " 7"), CDNOW, { rate: 20 });
    const steer = async (verb: string) => (await scene.t.call("POST", `/api/v1/backfills/${id}/${verb}`)).status;
    expect(await steer("pause")).toBe(200);
    await waitUntil(async () => (await scene.look(id)).state === "paused");
    expect(await steer("resume")).toBe(200);
    await waitUntil(async () => (await scene.look(id)).state === "running");
    expect(await steer("cancel")).toBe(200);
    const ended = await scene.finished(id);
    expect(ended.state).toBe("cancelled");
    expect(ended.read).toBeLessThan(1_000);
    expect(await steer("resume")).toBe(409);
  });
});
