import { desc, eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";

import { scalingId } from "../core/contracts/shard-scaling.ts";
import type { Context } from "../platform/context.ts";
import { createHotKeyWatch } from "../platform/hot-keys.ts";
import { auditLog } from "../platform/postgres/schema.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";
import { createIsolatedContext } from "../test/support/context.ts";
import { startTemporalWorker, type TemporalWorker } from "../test/support/temporal-worker.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { createShardsWorker } from "../workers/shards.ts";

let ctx: Context;
let t: TestApi;
let key: string;
let worker: TemporalWorker | undefined;

beforeAll(async () => {
  ctx = await createIsolatedContext({
    LIVORA_STREAM_SHARDS: 1,
    LIVORA_STREAM_MAX_SHARDS: 2,
    LIVORA_SHARD_SCALING: "paused",
    LIVORA_LOG_LEVEL: "silent",
  });
  t = await startTestApi(ctx.config);
  key = await t.addKey(["operator"]);
});
afterAll(async () => {
  const streams = [ctx.config.LIVORA_STREAM_EVENTS, ctx.config.LIVORA_STREAM_ENRICHED];
  const end = (name: string) => worker?.client.workflow.getHandle(scalingId(name)).terminate("the test is over");
  await Promise.all(streams.map(end));
  await worker?.close();
  await t.close();
  await ctx.close();
});

const read = async () => (await t.call("GET", "/api/v1/stream", { key })).body;
const change = (body: unknown, stream = "events") => t.call("POST", `/api/v1/stream/${stream}/changes`, { key, body });
const configure = (body: unknown) => t.call("POST", "/api/v1/stream/events/scaling", { key, body });

test("who looks after one client does not see all of them", async () => {
  const admin = await t.addKey(["ingest", "read", "admin"]);
  for (const one of [admin, t.ours.api_key]) {
    expect((await t.call("GET", "/api/v1/stream", { key: one })).status).toBe(403);
    const asked = { key: one, body: { type: "split", shard: "s", at_lane: 1 } };
    expect((await t.call("POST", "/api/v1/stream/events/changes", asked)).status).toBe(403);
  }
});

test("shards are shown while nobody looks after them, and what is asked for is refused", async () => {
  const { streams, hot_keys } = await read();
  expect(streams.map((one: { stream: string }) => one.stream)).toEqual(["events", "enriched"]);
  expect(streams[0]).toMatchObject({ status: "ACTIVE", scaling: null });
  expect(streams[0].shards).toMatchObject([{ first_lane: 0, last_lane: 15, bytes_per_s: null, consumers: [] }]);
  expect(hot_keys).toEqual({ stream: [], user_store: [] });
  expect((await configure({ mode: "auto" })).status).toBe(404);
});

test("an operator splits, merges, pauses and moves the bounds; the rest is refused and says why", async () => {
  const queue = `shards-${ctx.config.LIVORA_STREAM_EVENTS}`;
  worker = await startTemporalWorker(ctx.config, (connection) => createShardsWorker(ctx, connection, queue));
  await waitUntil(async () => (await read()).streams[0].scaling?.looked_at);
  const [{ id: shard }] = (await read()).streams[0].shards;
  expect((await change({ type: "split", shard, at_lane: 0 })).status).toBe(400);
  expect((await change({ type: "split", shard, at_lane: 4 }, "other")).status).toBe(400);
  expect((await change({ type: "split", shard: "none", at_lane: 4 })).body).toMatchObject({
    status: 409,
    detail: "Not done: none is no open shard.",
  });
  expect((await change({ type: "split", shard, at_lane: 4 })).status).toBe(202);
  await waitUntil(async () => (await read()).streams[0].shards.length === 2);
  const { shards, scaling } = (await read()).streams[0];
  expect(shards).toMatchObject([
    { first_lane: 0, last_lane: 3 },
    { first_lane: 4, last_lane: 15 },
  ]);
  expect(scaling.decisions[0]).toMatchObject({ reason: "asked", by: expect.stringMatching(/^key:/), looks: 1 });
  const bounds = await change({ type: "split", shard: shards[1].id, at_lane: 8 });
  expect(bounds.body.detail).toBe("Not done: there are 2 shards, at most 2 are allowed.");
  expect((await configure({ policy: { merge_below: 0.8 } })).body).toMatchObject({ status: 400 });
  expect((await configure({ mode: "off" })).status).toBe(400);
  const set = await configure({ mode: "dry_run", policy: { max_shards: 4 } });
  expect(set.body).toMatchObject({ mode: "dry_run", policy: { min_shards: 1, max_shards: 4 } });
  expect((await change({ type: "merge", shards: shards.map((one: { id: string }) => one.id) })).status).toBe(202);
  const [entry] = await t.api.db
    .select()
    .from(auditLog)
    .where(eq(auditLog.client_id, t.ours.client_id))
    .orderBy(desc(auditLog.id))
    .limit(1);
  expect(entry).toMatchObject({ subject: "stream:events" });
});

test("hot keys of all processes, heaviest first", async () => {
  const [one, other] = [createHotKeyWatch(t.api.redis), createHotKeyWatch(t.api.redis)];
  one.note("stream", "shop", "s-1", 5_000);
  other.note("stream", "shop", "s-2", 50_000);
  await Promise.all([one.publish(), other.publish()]);
  const { hot_keys } = await read();
  expect(hot_keys.stream.map((hot: { key: string }) => hot.key)).toEqual(["s-2", "s-1"]);
});
