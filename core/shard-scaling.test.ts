import * as fc from "fast-check";
import { expect, test } from "vitest";

import { firstHashKeyOfLane, hashKeyOfLane, LANES, laneOfHashKey } from "./position.ts";
import type { ShardLoad } from "./shard-load.ts";
import {
  decideScaling,
  DEFAULT_POLICY,
  NOTHING_KNOWN,
  type ScalingDecision,
  type ScalingMemory,
  type ScalingPolicy,
  type ShardChange,
} from "./shard-scaling.ts";

const LOOK_MS = 30_000;
const policy: ScalingPolicy = { ...DEFAULT_POLICY, hot_looks: 2, cold_looks: 3, cool_down_ms: 60_000 };

/** A stream whose lanes carry so much, and a consumer that can take `pace` bytes a second of each shard. */
function createModel(lanes: readonly number[], firstLanes: readonly number[], pace = Infinity) {
  let nextId = 0;
  const shard = (first: number, lag = 0) => ({ id: `s${nextId++}`, first, looks: 0, lag });
  let shards = firstLanes.map((first) => shard(first));
  const lastOf = (at: number) => (shards[at + 1]?.first ?? LANES) - 1;

  function look(): ShardLoad[] {
    return shards.map((one, at) => {
      const own = lanes.slice(one.first, lastOf(at) + 1);
      const offered = own.reduce((a, b) => a + b, 0);
      const grown = offered > pace ? LOOK_MS * (1 - pace / offered) : -one.lag;
      one.lag += grown;
      const isKnown = one.looks++ > 0;
      return {
        id: one.id,
        first_lane: one.first,
        last_lane: lastOf(at),
        records_per_s: isKnown ? 1 : null,
        bytes_per_s: isKnown ? Math.min(pace, offered) : null,
        lane_shares: own.map((part) => (offered === 0 ? 0 : part / offered)),
        lag_ms: one.lag,
        lag_growth_ms: grown,
        slowest: "reader",
        is_stalled: false,
      };
    });
  }

  /** Answers the boundary that came or went. */
  function apply(change: ShardChange): number {
    if (change.type === "split") {
      const at = shards.findIndex((one) => one.id === change.shard);
      expect(change.at_lane).toBeGreaterThan(shards[at]!.first);
      expect(change.at_lane).toBeLessThanOrEqual(lastOf(at));
      shards.splice(at, 1, shard(shards[at]!.first), shard(change.at_lane));
      return change.at_lane;
    }
    const at = shards.findIndex((one) => one.id === change.shards[0]);
    expect(shards[at + 1]?.id).toBe(change.shards[1]);
    const boundary = shards[at + 1]!.first;
    shards.splice(at, 2, shard(shards[at]!.first));
    return boundary;
  }
  return { look, apply, count: () => shards.length, replaceLanes: (next: readonly number[]) => (lanes = next) };
}

type Model = ReturnType<typeof createModel>;

function run(
  model: Model,
  bounds: ScalingPolicy,
  looks: number,
  onChange?: (boundary: number, d: ScalingDecision) => void,
) {
  let memory: ScalingMemory = NOTHING_KNOWN;
  let last: ScalingDecision | null = null;
  for (let n = 0; n < looks; n++) {
    const decided = decideScaling(
      bounds,
      memory,
      { status: "ACTIVE", loads: model.look(), behind_change: [] },
      n * LOOK_MS,
    );
    ({ memory } = decided);
    last = decided.decision;
    if (last.change) onChange?.(model.apply(last.change), last);
  }
  return last as ScalingDecision;
}

const laneLoads = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 900_000 })), {
  minLength: LANES,
  maxLength: LANES,
});
const layouts = fc.subarray(Array.from({ length: LANES - 1 }, (_, i) => i + 1)).map((cuts) => [0, ...cuts]);
const paces = fc.oneof(fc.constant(Infinity), fc.integer({ min: 20_000, max: 900_000 }));
const bounds = fc
  .tuple(fc.integer({ min: 1, max: LANES }), fc.integer({ min: 1, max: LANES }))
  .map(([a, b]) => ({ ...policy, min_shards: Math.min(a, b), max_shards: Math.max(a, b) }));

test("under a constant load it comes to rest: a boundary may come and go again, but not once more", () => {
  fc.assert(
    fc.property(laneLoads, layouts, paces, (lanes, layout, pace) => {
      const model = createModel(lanes, layout, pace);
      const changes = new Map<number, number>();
      run(model, policy, 400, (boundary) => changes.set(boundary, (changes.get(boundary) ?? 0) + 1));
      // Where the consumer is what is slow, that shows only once two are merged: then they are split again, for good.
      expect(Math.max(0, ...changes.values())).toBeLessThanOrEqual(pace === Infinity ? 2 : 3);
      run(model, policy, 20, () => expect.unreachable("it was at rest"));
    }),
    { numRuns: 150 },
  );
});

test("it never leaves the bounds, and comes back where it is outside of them", () => {
  fc.assert(
    fc.property(laneLoads, layouts, paces, bounds, (lanes, layout, pace, within) => {
      const model = createModel(lanes, layout, pace);
      const wrong: string[] = [];
      let before = model.count();
      run(model, within, 200, (_, { reason }) => {
        const count = model.count();
        const isOutside = count > before ? count > within.max_shards : count < within.min_shards;
        if (isOutside || (reason === "below_min" && before >= within.min_shards)) wrong.push(`${before} to ${count}`);
        before = count;
      });
      expect(wrong).toEqual([]);
      expect(model.count()).toBeGreaterThanOrEqual(within.min_shards);
      // Above them it may stay: two that carry too much together are not merged because a number says so.
      expect(model.count()).toBeLessThanOrEqual(Math.max(layout.length, within.max_shards));
    }),
    { numRuns: 100 },
  );
});

test("changes keep their distance, and none is made while the stream is being changed or a change is being read", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(laneLoads, fc.constantFrom("ok", "updating", "reading")), { maxLength: 60 }),
      (days) => {
        const model = createModel([], [0]);
        let memory = NOTHING_KNOWN;
        let changedAt = -Infinity;
        const wrong: number[] = [];
        for (const [n, [lanes, state]] of days.entries()) {
          model.replaceLanes(lanes);
          const look = {
            status: state === "updating" ? "UPDATING" : "ACTIVE",
            behind_change: state === "reading" ? ["lake"] : [],
            loads: model.look(),
          };
          const decided = decideScaling(policy, memory, look, n * LOOK_MS);
          ({ memory } = decided);
          if (!decided.decision.change) continue;
          if (state !== "ok" || n * LOOK_MS - changedAt < policy.cool_down_ms) wrong.push(n);
          changedAt = n * LOOK_MS;
          model.apply(decided.decision.change);
        }
        expect(wrong).toEqual([]);
      },
    ),
  );
});

test("a split lies where a lane begins, so that every lane is whole on one side", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: LANES - 1 }), fc.integer({ min: 0, max: LANES - 1 }), (cut, lane) => {
      const [first, middle] = [BigInt(firstHashKeyOfLane(lane)), BigInt(hashKeyOfLane(lane))];
      const last = lane === LANES - 1 ? (1n << 128n) - 1n : BigInt(firstHashKeyOfLane(lane + 1)) - 1n;
      const at = BigInt(firstHashKeyOfLane(cut));
      expect(first < middle && middle < last).toBe(true);
      expect(at <= first || at > last).toBe(true);
      expect(laneOfHashKey(hashKeyOfLane(lane))).toBe(lane);
    }),
  );
});

test("a hot lane comes to be alone in its shard, and then its key is to blame", () => {
  const lanes = Array.from({ length: LANES }, (_, lane) => (lane === 5 ? 900_000 : 10_000));
  const model = createModel(lanes, [0]);
  const reasons: string[] = [];
  const last = run(model, policy, 100, (boundary, { reason }) => reasons.push(`${reason} ${boundary}`));
  expect(reasons.slice(0, 2).toSorted()).toEqual(["hot 5", "hot 6"]);
  expect(last).toMatchObject({ reason: "one_lane", change: null });
});

test("who stands still gets no shards, who falls back gets them and keeps them", () => {
  const load: ShardLoad = {
    id: "s",
    first_lane: 0,
    last_lane: LANES - 1,
    records_per_s: 0,
    bytes_per_s: 0,
    lane_shares: [],
    lag_ms: 120_000,
    lag_growth_ms: LOOK_MS,
    slowest: "enrich",
    is_stalled: true,
  };
  let memory = NOTHING_KNOWN;
  for (let n = 0; n < 20; n++) {
    const decided = decideScaling(policy, memory, { status: "ACTIVE", loads: [load], behind_change: [] }, n * LOOK_MS);
    ({ memory } = decided);
    expect(decided.decision).toMatchObject({ reason: "stalled", change: null });
  }
  const model = createModel(
    Array.from({ length: LANES }, () => 10_000),
    [0],
    100_000,
  );
  const boundaries: number[] = [];
  run(model, policy, 400, (boundary) => boundaries.push(boundary));
  expect(boundaries).toEqual([8]);
});
