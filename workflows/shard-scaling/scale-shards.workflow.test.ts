import { randomUUID } from "node:crypto";

import type { WorkflowHandle } from "@temporalio/client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import {
  CHANGE_UPDATE,
  type ChangeOutcome,
  CONFIGURE_UPDATE,
  type ConfigureScaling,
  type RequestedChange,
  SCALING_STATUS_QUERY,
  SCALING_TASK_QUEUE,
  SCALING_WORKFLOW,
  type ScalingActivities,
  type ScalingInput,
  type ScalingStatus,
} from "../../core/contracts/shard-scaling.ts";
import { LANES } from "../../core/position.ts";
import { decideOn, judgeAsked } from "../../core/shard-decision.ts";
import type { ShardProgress, StreamSight } from "../../core/shard-load.ts";
import { DEFAULT_POLICY, type ShardChange } from "../../core/shard-scaling.ts";
import { recordHistory } from "../../test/support/history.ts";
import { useWorker } from "../../test/support/workflow-worker.ts";

const LOOK_MS = 30_000;
const INPUT: ScalingInput = {
  stream: "events",
  consumers: ["enrich"],
  mode: "auto",
  policy: { ...DEFAULT_POLICY, cold_looks: 5 },
  look_every_ms: LOOK_MS,
};

let handle: WorkflowHandle;
let firstRunId: string;
/** The stream as the activities show it: each look finds half a minute gone by. */
let shards: { id: string; first: number; progress: ShardProgress }[];
let bytesPerS: number;
let looks: number;
let changes: ShardChange[];
let failures: number;

const makeProgress = (at_ms: number): ShardProgress => ({
  at_ms,
  handled_up_to_ms: at_ms,
  records: 0,
  bytes: 0,
  lanes: Array.from({ length: LANES }, () => 0),
});
const makeShard = (first: number) => ({ id: randomUUID(), first, progress: makeProgress(looks * LOOK_MS) });
const lastOf = (at: number) => (shards[at + 1]?.first ?? LANES) - 1;

const activities: Omit<ScalingActivities, "lookAtStream"> = {
  decideOnShards: async (input) => decideOn(look(), input),
  judgeChange: async (input) => judgeAsked(look(), input),
  async changeShards({ change }) {
    if (failures-- > 0) throw new Error("Kinesis is away");
    changes.push(change);
    if (change.type === "split") {
      const at = shards.findIndex((shard) => shard.id === change.shard);
      shards.splice(at, 1, makeShard(shards[at]!.first), makeShard(change.at_lane));
    } else {
      const at = shards.findIndex((shard) => shard.id === change.shards[0]);
      shards.splice(at, 2, makeShard(shards[at]!.first));
    }
    return { state: "done" };
  },
};

function look(): StreamSight {
  looks++;
  const at_ms = looks * LOOK_MS;
  for (const [at, shard] of shards.entries()) {
    const width = lastOf(at) - shard.first + 1;
    const more = ((bytesPerS * (LOOK_MS / 1000)) / LANES) * width;
    const lanes = shard.progress.lanes.map((lane, i) =>
      i >= shard.first && i <= lastOf(at) ? lane + more / width : lane,
    );
    const { bytes, records } = shard.progress;
    shard.progress = { at_ms, handled_up_to_ms: at_ms, records: records + 30, bytes: bytes + more, lanes };
  }
  const sights = shards.map(({ id, first, progress }, at) => ({
    id,
    first_lane: first,
    last_lane: lastOf(at),
    consumers: { enrich: progress },
  }));
  return { at_ms, status: "ACTIVE", shards: sights, behind_change: [] };
}

const worker = useWorker({ taskQueue: SCALING_TASK_QUEUE, workflows: "shards.ts", activities });
beforeEach(() => {
  [looks, changes, failures, bytesPerS] = [0, [], 0, 0];
  shards = [makeShard(0)];
});
afterEach(() => handle.terminate("the test is over"));

async function start(input: Partial<ScalingInput> = {}) {
  const { firstExecutionRunId, workflowId } = await worker.start(SCALING_WORKFLOW, { ...INPUT, ...input });
  firstRunId = firstExecutionRunId;
  handle = worker.env.client.workflow.getHandle(workflowId);
}
const status = () => handle.query<ScalingStatus>(SCALING_STATUS_QUERY);
const configure = (change: ConfigureScaling) =>
  handle.executeUpdate<ScalingStatus, [ConfigureScaling]>(CONFIGURE_UPDATE, { args: [change] });
const change = (asked: ShardChange) =>
  handle.executeUpdate<ChangeOutcome, [RequestedChange]>(CHANGE_UPDATE, { args: [{ change: asked, by: "key:test" }] });
const sleepMinutes = (minutes: number) => worker.env.sleep(minutes * 60_000);

describe("scaleShards", () => {
  it("splits while there is much, one at a time, merges when it is over, and says why", async () => {
    bytesPerS = 2_000_000;
    await start();
    await sleepMinutes(30);
    expect(shards.map((shard) => shard.first)).toEqual([0, 4, 8, 12]);
    expect(changes.map(({ type }) => type)).toEqual(["split", "split", "split"]);
    await recordHistory("shards-split", handle);
    bytesPerS = 1_000;
    await sleepMinutes(60);
    expect(shards.map((shard) => shard.first)).toEqual([0]);
    const { decisions } = await status();
    const made = decisions.filter((decision) => decision.change).map(({ reason }) => reason);
    expect(made.toReversed()).toEqual(["hot", "hot", "hot", "cold", "cold", "cold"]);
    expect(decisions[0]).toMatchObject({ reason: "quiet", change: null });
    expect(decisions.length).toBeLessThan(40);
  });

  it("only says what it would do in a dry run, and does nothing while it is paused", async () => {
    bytesPerS = 2_000_000;
    await start({ mode: "dry_run" });
    await sleepMinutes(10);
    const { decisions } = await status();
    expect(decisions.find((decision) => decision.change)).toMatchObject({
      reason: "hot",
      change: { type: "split", at_lane: 8 },
      outcome: { state: "dry_run" },
    });
    await configure({ mode: "paused" });
    await sleepMinutes(10);
    expect(changes).toEqual([]);
    await configure({ mode: "auto" });
    await sleepMinutes(10);
    expect(changes.length).toBeGreaterThan(0);
    await recordHistory("shards-modes", handle);
  });

  it("does by hand what lies within the bounds, also while it is paused, and refuses the rest with its reason", async () => {
    await start({ mode: "paused", policy: { ...INPUT.policy, min_shards: 2, max_shards: 2 } });
    const [whole = { id: "" }] = shards;
    expect(await change({ type: "split", shard: whole.id, at_lane: 0 })).toMatchObject({ state: "refused" });
    expect(await change({ type: "split", shard: whole.id, at_lane: 3 })).toEqual({ state: "done" });
    const [left = { id: "" }, right = { id: "" }] = shards;
    expect(await change({ type: "split", shard: left.id, at_lane: 1 })).toEqual({
      state: "refused",
      reason: "there are 2 shards, at most 2 are allowed",
    });
    expect(await change({ type: "merge", shards: [right.id, left.id] })).toMatchObject({ state: "refused" });
    expect(await change({ type: "merge", shards: [left.id, right.id] })).toMatchObject({ state: "refused" });
    await configure({ policy: { min_shards: 1 } });
    expect(await change({ type: "merge", shards: [left.id, right.id] })).toEqual({ state: "done" });
    expect((await status()).decisions[0]).toMatchObject({
      reason: "asked",
      by: "key:test",
      outcome: { state: "done" },
    });
    await recordHistory("shards-by-hand", handle);
  });

  it("refuses settings that make no sense", async () => {
    await start();
    const refusal = await configure({ policy: { merge_below: 0.9 } }).catch((error: Error) => error.cause);
    expect(String(refusal)).toContain("merge_below must be less than split_above");
    await expect(configure({ policy: { max_shards: 17 } })).rejects.toThrow("Update failed");
    await expect(configure({ mode: "off" as never })).rejects.toThrow("Update failed");
    expect((await status()).policy).toEqual(INPUT.policy);
  });

  it("waits for a Kinesis that is away, and makes the change once", async () => {
    bytesPerS = 900_000;
    failures = 4;
    await start();
    await sleepMinutes(20);
    expect(changes).toHaveLength(1);
  });

  it("goes on in a new execution before its history grows long, and knows what it knew", async () => {
    bytesPerS = 900_000;
    await start();
    await sleepMinutes(300);
    const now = await handle.describe();
    expect(now.runId).not.toBe(firstRunId);
    expect(now.historyLength).toBeLessThan(1_100);
    expect(changes).toHaveLength(1);
    expect((await status()).decisions.some((decision) => decision.reason === "hot")).toBe(true);
  });
});
