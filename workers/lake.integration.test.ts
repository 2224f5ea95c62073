import { randomUUID } from "node:crypto";
import { readdir, utimes, writeFile } from "node:fs/promises";

import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createLakeConsumer } from "../analytics/stream/lake/consumer.ts";
import { COMPACTION_SCHEDULE_ID, LAKE_CONSUMER } from "../core/contracts/lake.ts";
import { partitionOf } from "../core/lake.ts";
import { DAY_MS } from "../core/time.ts";
import type { Context } from "../platform/context.ts";
import { createLake, type Lake } from "../platform/lake/lake.ts";
import { lakeFiles } from "../platform/postgres/schema.ts";
import { createLeaseStore } from "../platform/stream/lease-store.ts";
import { createIsolatedContext } from "../test/support/context.ts";
import { makeEnriched, sequenceOf, toEntry } from "../test/support/enriched-events.ts";
import { countLake } from "../test/support/lake-reader.ts";
import { stackConfig } from "../test/support/stack-config.ts";
import { createTemporalNamespace } from "../test/support/temporal-namespace.ts";
import { startTemporalWorker, type TemporalWorker } from "../test/support/temporal-worker.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { createLakeWorker } from "./lake.ts";

const SHARD = "shardId-000000000000";
const HOUR = Date.parse("2026-11-19T15:00:00.000Z");
let ctx: Context;
let lake: Lake;
let worker: TemporalWorker;

beforeAll(async () => {
  const { LIVORA_TEMPORAL_ADDRESS: address } = stackConfig();
  ctx = await createIsolatedContext({ LIVORA_TEMPORAL_NAMESPACE: await createTemporalNamespace(address) });
  lake = createLake(ctx.config.LIVORA_LAKE);
  worker = await startTemporalWorker(ctx.config, (connection) => createLakeWorker(ctx, connection));
});
afterAll(async () => {
  await worker.close();
  await ctx.close();
});

/** Three files of ten events, a day old, in one hour. Answers the partition. */
async function fill(clientId: string): Promise<string> {
  const consumer = createLakeConsumer(ctx);
  for (let file = 0; file < 3; file++) {
    const entries = Array.from({ length: 10 }, (_, i) => {
      const number = file * 1_000 + i;
      return toEntry(makeEnriched({ clientId, number, timestampMs: HOUR + number }), number);
    });
    await consumer.handle({ shard: SHARD, entries, state: undefined, signal: new AbortController().signal });
  }
  const { path } = partitionOf(clientId, HOUR);
  const old = new Date(Date.now() - DAY_MS);
  for (const name of await readdir(lake.absolute(path))) await utimes(lake.absolute(`${path}/${name}`), old, old);
  return path;
}

async function saveCheckpoint(sequence: string): Promise<void> {
  const stream = ctx.config.LIVORA_STREAM_ENRICHED;
  const leases = createLeaseStore(ctx, { stream, consumer: LAKE_CONSUMER, owner: "test", leaseMs: 1_000 });
  const seen = (await leases.read([SHARD])).get(SHARD);
  const lease = await leases.acquire(SHARD, seen, null);
  if (lease === null) throw new Error("somebody else holds the lease");
  await leases.saveCheckpoint(lease, sequence, "{}");
}

describe("the lake's worker", () => {
  it("compacts what lies behind the consumer's checkpoint when the Schedule says so, past a partition that is broken", async () => {
    const [clientId, brokenId] = [`worker-${randomUUID()}`, `aaa-${randomUUID()}`];
    const [partition, broken] = [await fill(clientId), await fill(brokenId)];
    const [first = ""] = await readdir(lake.absolute(broken));
    await writeFile(lake.absolute(`${broken}/${first}`), "no Parquet");
    await utimes(lake.absolute(`${broken}/${first}`), 0, 0);
    await saveCheckpoint(sequenceOf(150));

    await worker.client.schedule.getHandle(COMPACTION_SCHEDULE_ID).trigger();
    await waitUntil(async () => (await readdir(lake.absolute(partition))).length === 2);

    const names = await readdir(lake.absolute(partition));
    expect(names.filter((name) => name.startsWith("compacted_"))).toHaveLength(1);
    expect(names).toContainEqual(expect.stringContaining(`${SHARD}_${sequenceOf(200)}_`));
    expect(await countLake(lake.root, clientId)).toEqual({ rows: 30, ids: 30 });
    expect(await readdir(lake.absolute(broken))).toHaveLength(3);
    const book = await ctx.db.select().from(lakeFiles).where(eq(lakeFiles.client_id, clientId));
    expect(book.filter((file) => file.compacted_into !== null)).toHaveLength(2);
  });

  it("keeps the Schedule that is there, with what was changed in it", async () => {
    const schedule = worker.client.schedule.getHandle(COMPACTION_SCHEDULE_ID);
    await schedule.pause("maintenance");
    await worker.restart();
    expect((await schedule.describe()).state).toMatchObject({ paused: true, note: "maintenance" });
  });
});
