import { mkdir, rm } from "node:fs/promises";

import { and, eq } from "drizzle-orm";
import { afterEach, beforeEach, expect, test } from "vitest";

import { receiptsFolder } from "../../core/audit.ts";
import type { AuditedHour } from "../../core/contracts/audit.ts";
import { encodeEnvelope } from "../../core/envelope.ts";
import { HOUR_MS } from "../../core/time.ts";
import { audits, droppedEvents, edgeCounts, lakeFiles } from "../../platform/postgres/schema.ts";
import { createStreamProducer } from "../../platform/stream/producer.ts";
import { quote } from "../../platform/warehouse/duckdb.ts";
import { type AuditSetup, setUpAudit, waitForRoomInHour } from "../../test/support/audit-setup.ts";
import { waitUntil } from "../../test/support/wait-until.ts";
import { auditHour } from "./audit-hour.ts";
import { readKnownHours, saveAudits, sweepAudits } from "./save-audits.ts";

let setup: AuditSetup;

beforeEach(async () => {
  // Each test looks at one hour.
  await waitForRoomInHour(30_000);
  setup = await setUpAudit();
});
afterEach(() => setup.close());

async function audit(): Promise<AuditedHour> {
  const [hour] = await auditHour(setup.deps, setup.scope());
  if (hour === undefined) throw new Error("no hour");
  return hour;
}

const kindsOf = (hour: AuditedHour) => hour.details.differences.map((difference) => difference.kind).toSorted();

/** The client's files of the lake, as the book has them. */
async function listFiles(): Promise<string[]> {
  const files = await setup.ctx.db
    .select()
    .from(lakeFiles)
    .where(eq(lakeFiles.client_id, setup.client_id))
    .orderBy(lakeFiles.path);
  return files.map((file) => setup.lake.absolute(file.path));
}

/** Rewrites a file behind the book's back. */
async function rewrite(path: string, rows: string): Promise<void> {
  const temp = await setup.lake.tempPath();
  await setup.deps.warehouse.use(async (connection) => {
    await connection.run(
      `COPY (${rows.replaceAll("FILE", `read_parquet(${quote(path)})`)}) TO ${quote(temp)} (FORMAT parquet)`,
    );
  });
  await setup.lake.publish(temp, path.slice(setup.lake.root.length + 1));
}

test("a day without faults: all that was acknowledged is in the lake or explained", async () => {
  const ids = await setup.post(150);
  await setup.post(20, { timestamp: "2026-10-01T10:00:00.000Z", event_type: "late" });
  await setup.post(1, { event_id: ids[0], session_id: "s-0" });
  await setup.stopEdge();
  const hour = await audit();
  expect(hour).toMatchObject({ acknowledged: 171, received: 171, in_lake: 170, dropped: 1, dead_letters: 0 });
  expect(hour).toMatchObject({ in_flight: 0, unexplained: 0, verdict: "open", details: { differences: [] } });
});

test("a row that vanished, one that stands there twice, and one that nobody sent: each by its name", async () => {
  // Receipts that began in this very hour would excuse what came before them.
  await mkdir(setup.lake.absolute(receiptsFolder(setup.scope().hourMs - HOUR_MS)), { recursive: true });
  const ids = await setup.post(40);
  await setup.rest();
  await audit();
  const [file = ""] = await listFiles();
  const numbered = "(SELECT *, row_number() OVER () AS n FROM FILE)";
  const columns = "SELECT * EXCLUDE (n) REPLACE";
  await rewrite(
    file,
    `SELECT * EXCLUDE (n) FROM ${numbered} WHERE n > 1
     UNION ALL SELECT * EXCLUDE (n) FROM ${numbered} WHERE n = 2
     UNION ALL ${columns} ('00000000-0000-4000-8000-000000000001' AS event_id, source_index + 1000 AS source_index,
       received_at - INTERVAL 5 MINUTE AS received_at) FROM ${numbered} WHERE n = 3`,
  );
  const hour = await audit();
  expect(hour).toMatchObject({ verdict: "difference", received: 40, in_lake: 39 });
  const found = new Map(hour.details.differences.map((difference) => [difference.kind, difference]));
  expect(found.get("missing")?.last_seen).toMatch(/^enrichment: it is remembered/);
  expect(ids).toContain(found.get("missing")?.event_id);
  expect(found.get("twice_in_lake")?.last_seen).toContain(file);
  expect(ids).toContain(found.get("twice_in_lake")?.event_id);
  // Five minutes ago may have been another hour, of which this audit says nothing.
  const isThisHour = new Date().getUTCMinutes() >= 6;
  expect(hour.unexplained).toBe(isThisHour ? 3 : 2);
  expect(found.get("unreceived")?.event_id).toBe(isThisHour ? "00000000-0000-4000-8000-000000000001" : undefined);
});

test("a file that is gone: every event in it is named, and the file", async () => {
  const ids = await setup.post(30);
  await setup.rest();
  await audit();
  for (const file of await listFiles()) await rm(file);
  const hour = await audit();
  expect(hour).toMatchObject({ verdict: "difference", unexplained: 30, in_lake: 0 });
  const missing = hour.details.differences.filter((difference) => difference.kind === "missing");
  expect(missing.map((difference) => difference.event_id).toSorted()).toEqual(ids.toSorted());
  expect(missing[0]?.last_seen).toMatch(/^lake: .* is gone$/);
  expect(kindsOf(hour)).toContain("file_gone");
});

test("what is explained away and there all the same, and a duplicate of nothing", async () => {
  const [id = "", other = ""] = await setup.post(2);
  await setup.post(1, { event_id: id, session_id: "s-0" });
  await audit();
  const db = setup.ctx.db;
  const files = await listFiles();
  const place = await setup.deps.warehouse.use(async (connection) => {
    const sought = `SELECT source_shard, source_sequence, source_index FROM read_parquet([${files.map(quote).join()}]) WHERE event_id = ${quote(other)}`;
    return (await connection.runAndReadAll(sought)).getRowObjectsJson()[0] as Record<
      "source_shard" | "source_sequence",
      string
    > & {
      source_index: number;
    };
  });
  const drop = {
    client_id: setup.client_id,
    event_id: other,
    stage: "dedupe",
    reason: "duplicate",
    received_at: new Date().toISOString(),
  };
  await db.insert(droppedEvents).values({ ...drop, ...place });
  expect((await audit()).details.differences).toMatchObject([
    {
      kind: "several_outcomes",
      event_id: other,
      place: `${place.source_shard} ${place.source_sequence} ${place.source_index}`,
    },
  ]);
  await db
    .delete(droppedEvents)
    .where(and(eq(droppedEvents.client_id, setup.client_id), eq(droppedEvents.event_id, other)));
  // The first goes; its repetition was left out because of it.
  for (const file of files) await rewrite(file, `SELECT * FROM FILE WHERE event_id <> ${quote(id)}`);
  const hour = await audit();
  expect(kindsOf(hour)).toEqual(["missing", "unproven_drop"]);
  expect(hour.details.differences.map((difference) => difference.event_id)).toEqual([id, id]);
});

test("what the edge acknowledged and the stream has not, or the other way round", async () => {
  await setup.post(25);
  await setup.stopEdge();
  expect(await audit()).toMatchObject({ acknowledged: 25, unexplained: 0 });
  const count = (acknowledged: number) =>
    setup.ctx.db.update(edgeCounts).set({ acknowledged }).where(eq(edgeCounts.client_id, setup.client_id));
  await setup.rest();
  await count(27);
  const [lost] = (await audit()).details.differences;
  expect(lost).toMatchObject({
    kind: "lost_in_stream",
    count: 2,
    last_seen: expect.stringContaining("acknowledged in"),
  });
  await count(22);
  expect((await audit()).details.differences).toMatchObject([{ kind: "never_acknowledged", count: 3 }]);
  await setup.ctx.db.update(edgeCounts).set({ final: false }).where(eq(edgeCounts.client_id, setup.client_id));
  expect(await audit()).toMatchObject({ unexplained: 0, details: { differences: [] } });
});

test("what is under way is not missing, and nothing is said while the lake stands still", async () => {
  await setup.post(5);
  await audit();
  const lake = setup.consumers[1];
  await lake?.stop();
  await setup.post(7);
  let hour: AuditedHour | undefined;
  // The receipts come by themselves; the lake does not.
  const isReceived = async () => {
    [hour] = await auditHour({ ...setup.deps, patienceMs: 500 }, setup.scope());
    return hour?.received === 12;
  };
  await waitUntil(isReceived);
  expect(hour).toMatchObject({ verdict: "unknown", unexplained: 0, received: 12, in_lake: 5, in_flight: 7 });
  expect(hour?.details.notes.join()).toContain("the consumers have come to");
});

test("what cannot be read is a dead letter, and accounted for", async () => {
  await setup.post(3);
  const producer = createStreamProducer({ kinesis: setup.ctx.kinesis, stream: setup.ctx.config.LIVORA_STREAM_EVENTS });
  const header = { client_id: setup.client_id, received_at: new Date().toISOString(), request_id: "r" };
  await producer.append(0, encodeEnvelope(header, [Buffer.from("{"), Buffer.from('{"event_id":"1"}')]), 2);
  await producer.append(0, Buffer.from("garbage"), 1);
  await producer.close();
  const hours = await auditHour(setup.deps, { ...setup.scope(), clientId: undefined });
  expect(hours.find((hour) => hour.client_id === setup.client_id)).toMatchObject({
    received: 5,
    in_lake: 3,
    dead_letters: 2,
    unexplained: 0,
  });
  expect(hours.find((hour) => hour.client_id === "")).toMatchObject({ received: 1, dead_letters: 1, unexplained: 0 });
});

test("an audit is kept, and the latest of an hour says what is still worth a look", async () => {
  await setup.post(3);
  const hour = await audit();
  await saveAudits(setup.ctx.db, [hour, { ...hour, client_id: `${setup.client_id}-2`, verdict: "difference" }]);
  const rows = await setup.ctx.db.select().from(audits).where(eq(audits.client_id, setup.client_id));
  expect(rows).toMatchObject([{ verdict: hour.verdict, received: 3, details: { differences: [] } }]);
  const known = await readKnownHours(setup.ctx.db, Date.parse(hour.hour));
  expect(known.find((one) => one.hourMs === Date.parse(hour.hour))?.isWell).toBe(false);
  const old = `${setup.lake.root}/${receiptsFolder(Date.parse("2026-09-01T00:00:00.000Z"))}`;
  await mkdir(old, { recursive: true });
  expect(await sweepAudits({ db: setup.ctx.db, lake: setup.lake }, Date.now())).toBe(1);
  expect(await audit()).toMatchObject({ received: 3 });
});
