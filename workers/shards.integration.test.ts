import { randomBytes } from "node:crypto";

import type { Client } from "@temporalio/client";
import { afterAll, beforeAll, expect, test } from "vitest";

import {
  CHANGE_UPDATE,
  type ChangeOutcome,
  CONFIGURE_UPDATE,
  type ConfigureScaling,
  type RequestedChange,
  SCALING_STATUS_QUERY,
  scalingId,
  type ScalingStatus,
} from "../core/contracts/shard-scaling.ts";
import { LANES, laneOf } from "../core/position.ts";
import type { Context } from "../platform/context.ts";
import { listShards } from "../platform/stream/shard-list.ts";
import { type EnrichSetup, setUpEnrich } from "../test/support/enrich-setup.ts";
import { startTemporalWorker } from "../test/support/temporal-worker.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { createShardsWorker } from "./shards.ts";

const LOOK_MS = 250;
const closing: (() => Promise<void>)[] = [];
let setup: EnrichSetup;
let ctx: Context;
let stream: string;
let client: Client;

beforeAll(async () => {
  setup = await setUpEnrich(closing, 1);
  const config = { ...setup.ctx.config, LIVORA_STREAM_MAX_SHARDS: 16, LIVORA_SHARD_SCALING: "auto" } as const;
  ctx = { ...setup.ctx, config };
  stream = config.LIVORA_STREAM_EVENTS;
  const worker = await startTemporalWorker(config, (connection) =>
    createShardsWorker(ctx, connection, `shards-${stream}`),
  );
  ({ client } = worker);
  closing.push(async () => {
    const streams = [config.LIVORA_STREAM_EVENTS, config.LIVORA_STREAM_ENRICHED];
    await Promise.all(streams.map((name) => client.workflow.getHandle(scalingId(name)).terminate("the test is over")));
    await worker.close();
  });
  await setup.enrich();
});
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
});

function sessionOf(lane: number): string {
  for (let n = 0; ; n++) if (laneOf(`s-${n}`) === lane) return `s-${n}`;
}

const handle = () => client.workflow.getHandle(scalingId(stream));
const status = () => handle().query<ScalingStatus>(SCALING_STATUS_QUERY);
const configure = (change: ConfigureScaling) =>
  handle().executeUpdate<ScalingStatus, [ConfigureScaling]>(CONFIGURE_UPDATE, { args: [change] });
const openShards = async () => (await listShards(ctx.kinesis, stream)).filter((shard) => shard.isOpen);

test(
  "load makes it split, lanes keep their order, nothing is lost or doubled; then the load ends, and it merges",
  { timeout: 120_000 },
  async () => {
    // A shard that takes 20 kB a second: any load is much.
    const quick = {
      shard_bytes_per_s: 20_000,
      shard_records_per_s: 1e6,
      hot_looks: 2,
      cold_looks: 4,
      cool_down_ms: 1_000,
    };
    await configure({ policy: { ...quick, min_shards: 1, max_shards: 3 }, look_every_ms: LOOK_MS });
    const over = new AbortController();
    const sent = new Map<number, string[]>();
    const sendOn = async (lane: number) => {
      const session_id = sessionOf(lane);
      const ids: string[] = [];
      sent.set(lane, ids);
      while (!over.signal.aborted) {
        const [event] = await setup.send({ session_id, props: { padding: randomBytes(200).toString("hex") } });
        ids.push(event?.event_id ?? "");
      }
    };
    const senders = Array.from({ length: LANES }, (_, lane) => sendOn(lane));
    await waitUntil(async () => (await openShards()).length === 3, { timeoutMs: 45_000 });
    await waitUntil(async () => (await status()).decisions.some(({ reason }) => reason === "at_max"), {
      timeoutMs: 45_000,
    });
    over.abort();
    await Promise.all(senders);
    await waitUntil(async () => (await openShards()).length === 1, { timeoutMs: 45_000 });

    const total = [...sent.values()].flat().length;
    await waitUntil(async () => (await setup.enriched()).length >= total, { timeoutMs: 45_000 });
    const enriched = await setup.enriched();
    for (const [lane, ids] of sent) {
      expect(enriched.filter((event) => event.lane === lane).map((event) => event.event_id)).toEqual(ids);
    }
    const widths = (await listShards(ctx.kinesis, stream)).map(({ hashKeys: [first, last] }) => last - first + 1n);
    for (const width of widths) expect(width % ((1n << 128n) / BigInt(LANES))).toBe(0n);
    const { decisions } = await status();
    const made = decisions.filter(({ change }) => change).map(({ reason, outcome }) => `${reason} ${outcome?.state}`);
    expect(made.toReversed()).toEqual(["hot done", "hot done", "cold done", "cold done"]);
  },
);

test("what is asked for by hand is done once, however often it is asked, and a lane is never cut", async () => {
  await configure({ mode: "paused" });
  const [whole = { id: "" }] = await openShards();
  const args: [RequestedChange] = [{ change: { type: "split", shard: whole.id, at_lane: 5 }, by: "test" }];
  const ask = () => handle().executeUpdate<ChangeOutcome, [RequestedChange]>(CHANGE_UPDATE, { args });
  expect(await ask()).toEqual({ state: "done" });
  await waitUntil(async () => (await openShards()).length === 2);
  expect(await ask()).toEqual({ state: "refused", reason: `${whole.id} is no open shard` });
  const [left] = await openShards();
  expect((left?.hashKeys[1] ?? 0n) + 1n).toBe(((1n << 128n) / BigInt(LANES)) * 5n);
});
