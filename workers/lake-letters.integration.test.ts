import { randomUUID } from "node:crypto";

import { Client, Connection } from "@temporalio/client";
import { and, eq } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { replayWorkflowId } from "../core/contracts/dead-letter-replay.ts";
import { readEnrichment } from "../core/enriched-event.ts";
import { encodeEnvelope } from "../core/envelope.ts";
import { laneOf } from "../core/position.ts";
import { compactPartition } from "../platform/lake/compact.ts";
import { withPartitionLock } from "../platform/lake/partition-lock.ts";
import { deadLetters, lakeFiles } from "../platform/postgres/schema.ts";
import { createStreamProducer } from "../platform/stream/producer.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";
import { type AuditSetup, setUpAudit } from "../test/support/audit-setup.ts";
import { readLakeRows } from "../test/support/lake-reader.ts";
import { createLetterWorkers } from "../test/support/letters-process.ts";
import { readStream } from "../test/support/stream-reader.ts";
import { createTemporalNamespace } from "../test/support/temporal-namespace.ts";
import { waitUntil } from "../test/support/wait-until.ts";

const REPLAYS = "/api/v1/dead-letter-replays";
let setup: AuditSetup;
let t: TestApi;
let worker: ReturnType<typeof createLetterWorkers>;
let client: Client;
let key = "";

beforeAll(async () => {
  setup = await setUpAudit();
  const address = setup.ctx.config.LIVORA_TEMPORAL_ADDRESS;
  const config = { ...setup.ctx.config, LIVORA_TEMPORAL_NAMESPACE: await createTemporalNamespace(address) };
  t = await startTestApi(config);
  client = new Client({
    connection: await Connection.connect({ address }),
    namespace: config.LIVORA_TEMPORAL_NAMESPACE,
  });
  worker = createLetterWorkers(config);
  key = setup.api_key;
});
afterEach(() => worker.stop());
afterAll(async () => {
  await Promise.all([t.close(), worker.close(), client.connection.close()]);
  await setup.close();
});

const call = (method: string, path: string, body?: object) => t.call(method, path, { key, ...(body && { body }) });
const openLetters = async () => {
  const { body } = await call("GET", "/api/v1/dead-letters?stage=lake&limit=200");
  return body.dead_letters as { id: string; event_id: string; reason: string; payload: { encoding: string } }[];
};

/** Past the edge: one whose text is no UTF-8, with which the enrichment lives, and the lake does not. */
async function putBroken(count: number): Promise<string[]> {
  const { ctx, client_id } = setup;
  const producer = createStreamProducer({ kinesis: ctx.kinesis, stream: ctx.config.LIVORA_STREAM_EVENTS });
  const header = { client_id, received_at: new Date().toISOString(), request_id: "r-broken" };
  const ids = Array.from({ length: count }, () => randomUUID());
  const raw = ids.map((event_id) => {
    const event = { event_id, timestamp: header.received_at, client_id, session_id: "s-b", event_type: "search" };
    const [before, after] = JSON.stringify({ ...event, props: { term: "caf?", n: 1 } }).split("?");
    return Buffer.concat([Buffer.from(before ?? ""), Buffer.from([0xe9]), Buffer.from(after ?? "")]);
  });
  await producer.append(laneOf("s-b"), encodeEnvelope(header, raw), raw.length);
  await producer.close();
  await waitUntil(
    async () => {
      const open = new Set((await openLetters()).map((letter) => letter.event_id));
      return ids.every((id) => open.has(id));
    },
    { timeoutMs: 40_000 },
  );
  return ids;
}

const PATCH = [{ op: "set", path: "/props/term", value: "café" }];
const rowsOf = async (ids: readonly string[]) => {
  const rows = await readLakeRows(setup.lake.root, setup.client_id);
  return rows.filter((row) => ids.includes(String(row["event_id"])));
};
const audit = () => setup.auditAll();

async function selectionOf(ids: readonly string[]) {
  const mine = (await openLetters()).filter((letter) => ids.includes(letter.event_id));
  return { ids: mine.map((letter) => letter.id) };
}

async function finished(id: string) {
  const path = `${REPLAYS}/${id}`;
  await waitUntil(async () => (await call("GET", path)).body.state === "done", { timeoutMs: 120_000 });
  return (await call("GET", path)).body;
}

async function replay(body: object) {
  const { body: started } = await call("POST", REPLAYS, body);
  return finished(started.id);
}

/** What the replay's activity has met, in Temporal's words. */
async function lastFailure(id: string): Promise<string> {
  const { raw } = await client.workflow.getHandle(replayWorkflowId(setup.client_id, id)).describe();
  return raw.pendingActivities?.[0]?.lastFailure?.message ?? "";
}

describe("what the lake could not write", { timeout: 240_000 }, () => {
  test("is patched, replayed, and in the lake once, under its own place; the audit agrees all the way", async () => {
    await setup.post(20);
    const ids = await putBroken(2);
    const [letter] = await openLetters();
    expect(letter).toMatchObject({ reason: "not UTF-8", kind: "poison", event_type: "search" });
    expect(await audit()).toMatchObject({ received: 22, in_lake: 20, dead_letters: 2, unexplained: 0 });

    await worker.start();
    const selection = { filter: { stage: "lake" } };
    // As they are, they would only fail again.
    expect(await replay({ selection })).toMatchObject({ counts: { refused: 2, taken: 0 } });
    const moved = [{ op: "set", path: "/session_id", value: "another" }, ...PATCH];
    const { body: preview } = await call("POST", "/api/v1/dead-letter-previews", { selection, patch: moved });
    expect(preview.letters[0]).toMatchObject({ is_valid: false, faults: [{ path: "/session_id" }] });
    expect(await replay({ selection, patch: PATCH })).toMatchObject({ counts: { taken: 2, refused: 0 } });

    const rows = await rowsOf(ids);
    expect(rows.map((row) => row["event_id"]).toSorted()).toEqual(ids.toSorted());
    const letters = await setup.ctx.db.query.deadLetters.findMany({
      where: and(eq(deadLetters.client_id, setup.client_id), eq(deadLetters.stage, "lake")),
    });
    for (const row of rows) {
      const { source_shard, source_sequence, source_index } = letters.find((one) => one.event_id === row["event_id"])!;
      expect(row).toMatchObject({
        source_shard,
        source_sequence,
        source_index,
        session_id: "s-b",
        lane: laneOf("s-b"),
      });
      expect(JSON.parse(String(row["props"]))).toEqual({ term: "café", n: 1 });
    }
    expect(await audit()).toMatchObject({ received: 22, in_lake: 22, dead_letters: 0, unexplained: 0 });
    // Nobody else has heard of it.
    const { ctx } = setup;
    const passedOn = (await readStream(ctx.kinesis, ctx.config.LIVORA_STREAM_ENRICHED)).flatMap(({ parts }) => parts);
    expect(passedOn.filter(({ data }) => ids.includes(readEnrichment(data)!.enrichment.event_id))).toHaveLength(2);
    // Asked for again there is nothing to do.
    expect(await replay({ selection, patch: PATCH })).toMatchObject({ counts: { taken: 0, duplicate: 0 } });
    expect(await rowsOf(ids)).toHaveLength(2);
  });

  test("a worker that is killed between file and book doubles nothing, and the book is right", async () => {
    const ids = await putBroken(3);
    const selection = await selectionOf(ids);
    const { body: started } = await call("POST", REPLAYS, { selection, patch: PATCH });
    await worker.start("deaf", "unbooked");
    await worker.stop();
    // It had come to the lake: without that this would show nothing.
    const files = new Set((await rowsOf(ids)).map((row) => row["event_id"]));
    expect(files.size).toBe(3);
    expect(await audit()).toMatchObject({ unexplained: 0 });
    await worker.start();
    expect(await finished(started.id)).toMatchObject({ counts: { taken: 3, refused: 0 } });
    expect(await rowsOf(ids)).toHaveLength(3);
    const book = await setup.ctx.db.select().from(lakeFiles).where(eq(lakeFiles.client_id, setup.client_id));
    const rows = await readLakeRows(setup.lake.root, setup.client_id);
    expect(book.reduce((sum, file) => sum + file.rows, 0)).toBe(rows.length);
    expect(await audit()).toMatchObject({ dead_letters: 0, unexplained: 0 });
  });

  test("waits for a compaction, and what that has merged is not written again", async () => {
    const ids = await putBroken(1);
    const selection = await selectionOf(ids);
    const id = randomUUID();
    await call("POST", REPLAYS, { id, selection, patch: PATCH });
    await worker.start("deaf", "unbooked");
    await worker.stop();
    const partitions = await setup.lake.listPartitions(setup.client_id);
    const { ctx, client_id, lake, deps } = setup;
    const target = { client_id, partition: partitions.at(-1)!.path };
    const ended = { checkpoint: null, ended: true };
    const readProgress = (shards: readonly string[]) => Promise.resolve(new Map(shards.map((shard) => [shard, ended])));
    const compaction = { ctx, lake, warehouse: deps.warehouse, readProgress, onStep: () => {} };
    await compactPartition({ ...compaction, writtenBeforeMs: Date.now() + 1_000 }, target);
    expect(await lake.listFiles(partitions.at(-1)!)).toHaveLength(1);

    await withPartitionLock(ctx.db, target, async () => {
      await worker.start();
      await waitUntil(async () => (await lastFailure(id)).includes("compacted"), { timeoutMs: 60_000 });
    });
    expect(await finished(id)).toMatchObject({ counts: { duplicate: 1, taken: 0 } });
    expect(await rowsOf(ids)).toHaveLength(1);
    expect(await audit()).toMatchObject({ dead_letters: 0, unexplained: 0 });
  });
});
