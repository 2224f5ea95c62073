import { setTimeout as sleep } from "node:timers/promises";

import { PutRecordCommand } from "@aws-sdk/client-kinesis";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { HOUR_MS } from "../../core/time.ts";
import { createIsolatedContext } from "../../test/support/context.ts";
import { waitUntil } from "../../test/support/wait-until.ts";
import type { Context } from "../context.ts";
import { runConsumer } from "./consumer.ts";
import { createLeaseStore } from "./lease-store.ts";
import { listShards } from "./shard-list.ts";
import type { Consumer } from "./types.ts";

let ctx: Context;
let got: string[];
let consumer: Consumer;

beforeEach(async () => {
  ctx = await createIsolatedContext({ LIVORA_STREAM_SHARDS: 1, LIVORA_LOG_LEVEL: "silent" });
  got = [];
});
afterEach(async () => {
  await consumer.stop();
  await ctx.close();
});

function start(options: { lingerMs: number; leaseMs: number }): Consumer {
  return (consumer = runConsumer<null>(ctx, {
    stream: ctx.config.LIVORA_STREAM_EVENTS,
    name: "test",
    async handle({ entries }) {
      got.push(...entries.map(({ data }) => data.toString()));
      return null;
    },
    countEvents: () => 1,
    maxBatchBytes: 1_000_000,
    exactRanges: false,
    mergeStates: () => null,
    ...options,
  }));
}

test("a lease that lasts for hours, by a clock that was ahead, is taken over once nobody renews it", async () => {
  const stream = ctx.config.LIVORA_STREAM_EVENTS;
  const [shard] = await listShards(ctx.kinesis, stream);
  const gone = createLeaseStore(ctx, { stream, consumer: "test", owner: "gone", leaseMs: HOUR_MS });
  await gone.acquire(shard!.id, undefined, null);
  start({ lingerMs: 0, leaseMs: 300 });
  await waitUntil(() => consumer.isReady());
  expect(consumer.shards()).toEqual([]);
  await waitUntil(() => consumer.shards().length === 1);
});

test("what is gathered is handled in time when the wall's clock is set back", async () => {
  start({ lingerMs: 400, leaseMs: 1_000 });
  await waitUntil(() => consumer.shards().length === 1);
  const StreamName = ctx.config.LIVORA_STREAM_EVENTS;
  await ctx.kinesis.send(new PutRecordCommand({ StreamName, Data: Buffer.from("a"), PartitionKey: "key" }));
  await sleep(200);
  const hourAgo = Date.now() - HOUR_MS;
  vi.spyOn(Date, "now").mockImplementation(() => hourAgo);
  try {
    await vi.waitFor(() => expect(got).toEqual(["a"]), { timeout: 60_000 });
  } finally {
    vi.restoreAllMocks();
  }
});
