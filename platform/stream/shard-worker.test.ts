import { expect, test } from "vitest";

import { createLogger } from "../logger.ts";
import { createShardMetrics } from "./consumer-metrics.ts";
import { type Lease, LeaseLost, type LeaseStore } from "./lease-store.ts";
import type { StreamRecord } from "./shard-reader.ts";
import { workOnShard } from "./shard-worker.ts";
import type { ConsumerOptions, StreamBatch } from "./types.ts";

/** What has been handled, by sequence number, and how often a batch was asked for. */
interface State {
  handled: string[];
}

const record = (n: number): StreamRecord => {
  const sequence = String(100 + n);
  const entries = [{ sequence, index: 0, data: Buffer.from(`${n}`), arrivedAtMs: 0 }];
  return { sequence, bytes: 10, arrivedAtMs: 0, entries, lanes: new Map() };
};

/** Works on a shard of three records to its end; `handle` is told of each batch, the log of what is written and when. */
async function work(handle: (batch: StreamBatch<State>) => Promise<void>, options: { loseAt?: number } = {}) {
  const log: string[] = [];
  const lease: Lease = {
    shard: "shard-0",
    epoch: 1,
    owner: "me",
    expiresAtMs: 0,
    checkpoint: null,
    state: null,
    pending: null,
    ended: false,
    progress: null,
  };
  let writes = 0;
  const note = async (what: string) => {
    if (++writes === options.loseAt) throw new LeaseLost("shard-0");
    log.push(what);
  };
  const leases = {
    savePending: (_: Lease, { first, last }: { first: string; last: string }) => note(`begin ${first}-${last}`),
    saveCheckpoint: (_: Lease, checkpoint: string, state: string) => note(`checkpoint ${checkpoint} ${state}`),
    end: () => note("end"),
  } as unknown as LeaseStore;
  const readings = [[record(0), record(1)], [record(2)]].map((records, i) => ({
    records,
    tipTimeMs: null,
    msBehind: 0,
    ended: i === 1,
  }));
  const consumer = {
    name: "c",
    exactRanges: true,
    maxBatchBytes: 100,
    lingerMs: 0,
    async handle(batch: StreamBatch<State>) {
      const range = batch.entries.map(({ sequence }) => sequence);
      log.push(`handle ${range.join(",")}`);
      await handle(batch);
      log.push(`done ${range.join(",")}`);
      return { handled: [...(batch.state?.handled ?? []), ...range] };
    },
  } as unknown as ConsumerOptions<State>;
  const end = await workOnShard({
    lease,
    leases,
    reader: { read: async () => readings.shift() ?? null, poke() {} },
    options: consumer,
    metrics: createShardMetrics(undefined, "c", "shard-0"),
    log: createLogger("test", { LIVORA_LOG_LEVEL: "silent" }),
    isAlone: () => true,
    signal: new AbortController().signal,
  });
  return { end, log };
}

test("the range before the batch, the checkpoint after its effects, with the state it leaves", async () => {
  const { end, log } = await work(() => new Promise((resolve) => setImmediate(resolve)));
  expect(end).toBe("ended");
  expect(log).toEqual([
    "begin 100-101",
    "handle 100,101",
    "done 100,101",
    'checkpoint 101 {"handled":["100","101"]}',
    "begin 102-102",
    "handle 102",
    "done 102",
    'checkpoint 102 {"handled":["100","101","102"]}',
    "end",
  ]);
});

test("a batch that fails comes again as it was, and nothing is checkpointed until it has not", async () => {
  let failures = 1;
  const { log } = await work(async () => {
    if (failures-- > 0) throw new Error("a store is away");
  });
  expect(log.slice(0, 6)).toEqual([
    "begin 100-101",
    "handle 100,101",
    "begin 100-101",
    "handle 100,101",
    "done 100,101",
    'checkpoint 101 {"handled":["100","101"]}',
  ]);
});

test("whose lease is lost handles nothing more, and does not end the shard", async () => {
  const before = await work(async () => {}, { loseAt: 1 });
  expect(before).toEqual({ end: "lost", log: [] });
  const after = await work(async () => {}, { loseAt: 2 });
  expect(after).toEqual({ end: "lost", log: ["begin 100-101", "handle 100,101", "done 100,101"] });
});
