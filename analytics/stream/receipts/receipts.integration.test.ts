import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { hourOf, receiptsFolder } from "../../../core/audit.ts";
import { encodeEnvelope } from "../../../core/envelope.ts";
import { DAY_MS, HOUR_MS } from "../../../core/time.ts";
import type { Context } from "../../../platform/context.ts";
import { createLake } from "../../../platform/lake/lake.ts";
import { runConsumer } from "../../../platform/stream/consumer.ts";
import { createStreamProducer } from "../../../platform/stream/producer.ts";
import type { Consumer, StreamEntry, StreamProducer } from "../../../platform/stream/types.ts";
import { createWarehouse, quote } from "../../../platform/warehouse/duckdb.ts";
import { createIsolatedContext } from "../../../test/support/context.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { createReceiptsConsumer } from "./consumer.ts";
import { writeReceipts } from "./write-receipts.ts";
import { readReceipts } from "./read-receipts.ts";

const HOUR = Date.parse("2026-11-20T09:00:00.000Z");
let ctx: Context;
let producer: StreamProducer;
let consumer: Consumer | undefined;
const clientId = `receipts-${randomUUID()}`;

beforeEach(async () => {
  ctx = await createIsolatedContext({ LIVORA_STREAM_SHARDS: 1 });
  producer = createStreamProducer({ kinesis: ctx.kinesis, stream: ctx.config.LIVORA_STREAM_EVENTS });
});
afterEach(async () => {
  await consumer?.stop();
  await producer.close();
  await ctx.close();
});

function at({ sequence }: { sequence: string }, index: number): string {
  return `${sequence} ${index}`;
}

function eventAt(timestampMs: number) {
  return { event_id: randomUUID(), timestamp: new Date(timestampMs).toISOString(), client_id: clientId };
}

function envelopeOf(events: readonly unknown[], receivedAtMs: number, envelope?: number): Buffer {
  const header = { client_id: clientId, received_at: new Date(receivedAtMs).toISOString(), request_id: "r" };
  const raw = events.map((event) => Buffer.from(typeof event === "string" ? event : JSON.stringify(event)));
  return encodeEnvelope({ ...header, ...(envelope && { edge: "e1", envelope }) }, raw);
}

async function readAll(): Promise<Record<string, unknown>[]> {
  const warehouse = createWarehouse({
    memoryLimit: "128MB",
    threads: 1,
    tempFolder: join(ctx.config.LIVORA_LAKE, "s"),
  });
  const path = join(ctx.config.LIVORA_LAKE, "audit/receipts/*/*/*.parquet");
  const sql = `FROM read_parquet(${quote(path)}, hive_partitioning = false) ORDER BY length(sequence), sequence, index`;
  try {
    return (await warehouse.use((connection) => connection.runAndReadAll(sql))).getRowObjectsJson();
  } catch {
    return [];
  } finally {
    await warehouse.close();
  }
}

test("each place of the stream has one receipt, through deaths before the checkpoint, whatever lies there", async () => {
  const [early, late] = [eventAt(HOUR - DAY_MS), eventAt(HOUR + 9_000_000)];
  const first = await producer.append(3, envelopeOf([early, late, "{"], HOUR + 5_000, 7), 3);
  const second = await producer.append(3, envelopeOf([{ no: "event" }], HOUR + HOUR_MS), 1);
  const third = await producer.append(3, Buffer.from("no envelope"), 1);
  const options = createReceiptsConsumer(ctx);
  let deaths = 0;
  consumer = runConsumer(ctx, {
    ...options,
    lingerMs: 0,
    leaseMs: 1_000,
    async handle(batch) {
      const state = await options.handle(batch);
      if (deaths++ < 2) throw new Error("died between the file and the checkpoint");
      return state;
    },
  });
  await waitUntil(async () => (await readAll()).length >= 5);
  const receipts = await readAll();
  const places = receipts.map(({ sequence, index }) => `${String(sequence)} ${String(index)}`);
  expect(places).toEqual([at(first, 0), at(first, 1), at(first, 2), at(second, second.index), at(third, third.index)]);
  expect(receipts.slice(0, 3)).toMatchObject([
    { event_id: early.event_id, sent_at: "2026-11-19 09:00:00", edge: "e1", envelope: "7", ordinal: 0 },
    { event_id: late.event_id, sent_at: "2026-11-20 11:30:00", client_id: clientId, ordinal: 1 },
    { event_id: null, sent_at: null, client_id: clientId, received_at: "2026-11-20 09:00:05", ordinal: 2 },
  ]);
  expect(receipts[3]).toMatchObject({ event_id: null, edge: null, envelope: null, received_at: "2026-11-20 10:00:00" });
  expect(receipts[4]).toMatchObject({ event_id: null, client_id: "" });
});

test("the same range makes the same bytes, a file for each hour", async () => {
  const lake = createLake(ctx.config.LIVORA_LAKE);
  const warehouse = createWarehouse({ memoryLimit: "128MB", threads: 1, tempFolder: join(lake.root, "_tmp/s") });
  const entries: StreamEntry[] = Array.from({ length: 3_000 }, (_, i) => ({
    sequence: String(1_000 + i),
    index: 0,
    data: envelopeOf([eventAt(HOUR)], HOUR + (i % 2) * HOUR_MS, i + 1),
    arrivedAtMs: HOUR,
  }));
  const write = () =>
    writeReceipts({ lake, warehouse }, { shard: "s", first: "1000", last: "3999" }, readReceipts(entries));
  const paths = await write();
  const read = () => Promise.all(paths.map((path) => readFile(lake.absolute(path), "base64")));
  const before = await read();
  await write();
  await warehouse.close();
  expect(await read()).toEqual(before);
  expect(paths.map((path) => path.slice(0, path.lastIndexOf("/")))).toEqual(
    [HOUR, HOUR + HOUR_MS].map((ms) => receiptsFolder(hourOf(ms))),
  );
  expect(await readAll()).toHaveLength(3_000);
});
