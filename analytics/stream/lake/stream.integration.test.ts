import { randomUUID } from "node:crypto";

import { SplitShardCommand } from "@aws-sdk/client-kinesis";
import { afterEach, beforeEach, expect, test } from "vitest";

import { decodeEnriched } from "../../../core/enriched-event.ts";
import { hashKeyOfLane, LANES } from "../../../core/position.ts";
import { uuidOf } from "../../../core/uuid.ts";
import type { Context } from "../../../platform/context.ts";
import { runConsumer } from "../../../platform/stream/consumer.ts";
import { createStreamProducer } from "../../../platform/stream/producer.ts";
import { listShards } from "../../../platform/stream/shard-list.ts";
import type { BatchHandler, Consumer, StreamProducer } from "../../../platform/stream/types.ts";
import { createIsolatedContext } from "../../../test/support/context.ts";
import { makeEnriched } from "../../../test/support/enriched-events.ts";
import { countLake, readLakeIds } from "../../../test/support/lake-reader.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { createLakeConsumer } from "./consumer.ts";
import type { LakeState } from "./select-rows.ts";

const START = Date.parse("2026-11-17T10:50:00.000Z");
let ctx: Context;
let producer: StreamProducer;
let consumer: Consumer | undefined;
let clientId: string;

beforeEach(async () => {
  ctx = await createIsolatedContext({ LIVORA_STREAM_SHARDS: 1 });
  producer = createStreamProducer({ kinesis: ctx.kinesis, stream: ctx.config.LIVORA_STREAM_ENRICHED });
  clientId = `stream-${randomUUID()}`;
});
afterEach(async () => {
  await consumer?.stop();
  await producer.close();
  await ctx.close();
});

/** As the enricher puts them, each into its lane. */
async function append(from: number, to: number): Promise<void> {
  const appended: Promise<unknown>[] = [];
  for (let number = from; number < to; number++) {
    const data = makeEnriched({ clientId, sourceShard: clientId, number, timestampMs: START + number * 1_000 });
    appended.push(producer.append(decodeEnriched(data).lane, data, 1));
  }
  await Promise.all(appended);
}

function start(wrap: (handle: BatchHandler<LakeState>) => BatchHandler<LakeState> = (handle) => handle): Consumer {
  const options = createLakeConsumer(ctx);
  return runConsumer(ctx, { ...options, lingerMs: 50, leaseMs: 1_000, handle: wrap(options.handle) });
}

async function waitForRows(rows: number): Promise<void> {
  await waitUntil(async () => (await countLake(ctx.config.LIVORA_LAKE, clientId)).rows >= rows, {
    what: `${rows} rows`,
  });
}

async function splitShard(): Promise<void> {
  const StreamName = ctx.config.LIVORA_STREAM_ENRICHED;
  const NewStartingHashKey = (BigInt(hashKeyOfLane(LANES / 2)) - BigInt(hashKeyOfLane(0))).toString();
  await ctx.kinesis.send(
    new SplitShardCommand({ StreamName, ShardToSplit: "shardId-000000000000", NewStartingHashKey }),
  );
  await waitUntil(async () => (await listShards(ctx.kinesis, StreamName)).length === 3);
}

test("each event once through crashes before the checkpoint, a producer that repeats itself, and a split", async () => {
  await append(0, 400);
  let deaths = 0;
  consumer = start((handle) => async (batch) => {
    const state = await handle(batch);
    if (deaths++ < 2) throw new Error("died between the files and the checkpoint");
    return state;
  });
  await waitForRows(400);
  await append(250, 600);
  await waitForRows(600);
  await consumer.stop();

  await append(550, 700);
  await splitShard();
  await append(600, 1_000);
  consumer = start();
  await waitForRows(1_000);
  await append(900, 1_001);
  await waitForRows(1_001);
  const expected = Array.from({ length: 1_001 }, (_, number) => uuidOf("event", clientId, String(number)));
  expect(await readLakeIds(ctx.config.LIVORA_LAKE, clientId)).toEqual(expected.toSorted());
});
