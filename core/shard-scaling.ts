import { LANES } from "./position.ts";
import { busiestOf, candidatesOf, coldestOf, type Pair, splitLaneOf, utilisationOf } from "./shard-candidates.ts";
import type { ShardLoad } from "./shard-load.ts";

/** When shards are split and merged. Fractions are of what one shard takes. */
export interface ScalingPolicy {
  min_shards: number;
  /** At most one for each lane. */
  max_shards: number;
  /** What a shard takes: Kinesis' limits, unless a test lowers them. */
  shard_records_per_s: number;
  shard_bytes_per_s: number;
  /** A shard that carries more than this is hot. */
  split_above: number;
  /** Neighbours that together carry less than this are cold. Below `split_above`, or a merge would ask for a split. */
  merge_below: number;
  /** A shard that is further behind than this, and falls back further, is hot whatever it carries. */
  lag_ms: number;
  /** So many looks in a row a shard must be hot, or two neighbours cold. */
  hot_looks: number;
  cold_looks: number;
  /** After a change, whoever made it. */
  cool_down_ms: number;
}

export const DEFAULT_POLICY: ScalingPolicy = {
  min_shards: 1,
  max_shards: LANES,
  shard_records_per_s: 1_000,
  shard_bytes_per_s: 1_000_000,
  split_above: 0.7,
  merge_below: 0.35,
  lag_ms: 60_000,
  hot_looks: 3,
  cold_looks: 20,
  cool_down_ms: 300_000,
};

export type ShardChange =
  /** The shard is cut before this lane, which becomes the first of the second half. */
  | { type: "split"; shard: string; at_lane: number }
  /** Neighbours, in the order of their lanes. */
  | { type: "merge"; shards: [string, string] };

export type ScalingReason =
  | "updating"
  | "reading_change"
  | "unknown"
  | "below_min"
  | "above_max"
  | "cool_down"
  | "hot"
  | "lagging"
  | "stalled"
  | "at_max"
  | "one_lane"
  | "cold"
  | "quiet"
  /** Somebody asked for it. */
  | "asked";

export interface ScalingDecision {
  reason: ScalingReason;
  /** For people. */
  why: string;
  change: ShardChange | null;
}

/** What has to be known from one look to the next. */
export interface ScalingMemory {
  /** Looks in a row: by shard, and by pair (`a+b`). */
  hot: Readonly<Record<string, number>>;
  cold: Readonly<Record<string, number>>;
  changed_at_ms: number | null;
  /** The open shards of the last look, to see that somebody has changed them. */
  shards: readonly string[];
  /** What lanes carried that were split because a consumer fell back: together again they would fall back again. */
  lag_splits: readonly LagSplit[];
}

export interface LagSplit {
  first_lane: number;
  last_lane: number;
  utilisation: number;
}

export const NOTHING_KNOWN: ScalingMemory = { hot: {}, cold: {}, changed_at_ms: null, shards: [], lag_splits: [] };

export interface Look {
  status: string;
  loads: readonly ShardLoad[];
  behind_change: readonly string[];
}

/**
 * One look at the stream: at most one change, and why, or why not. Under a constant load it comes to rest: what it has
 * split it does not merge, and the other way round.
 */
export function decideScaling(
  policy: ScalingPolicy,
  before: ScalingMemory,
  look: Look,
  nowMs: number,
): { memory: ScalingMemory; decision: ScalingDecision } {
  const memory = remember(policy, before, look, nowMs);
  const decision = decide(policy, memory, look, nowMs);
  if (!decision.change) return { memory, decision };
  const lag_splits =
    decision.reason === "lagging" ? addLagSplit(policy, memory, look, decision.change) : memory.lag_splits;
  return { memory: { ...rememberChange(memory, nowMs), lag_splits }, decision };
}

/** Somebody has had a change made: looks are counted anew, and the cool-down begins. */
export function rememberChange(memory: ScalingMemory, nowMs: number): ScalingMemory {
  return { ...memory, changed_at_ms: nowMs, hot: {}, cold: {} };
}

function decide(policy: ScalingPolicy, memory: ScalingMemory, look: Look, nowMs: number): ScalingDecision {
  const { loads } = look;
  const [first] = look.behind_change;
  if (look.status !== "ACTIVE") return hold("updating", `the stream is ${look.status}`);
  if (first !== undefined) return hold("reading_change", `${first} has not come through the last change yet`);
  if (loads.length === 0) return hold("unknown", "no open shard is seen");
  const bounds = keepBounds(policy, loads);
  if (bounds) return bounds;
  const unknown = loads.find((load) => load.bytes_per_s === null);
  if (unknown) return hold("unknown", `what ${unknown.id} carries is not known yet`);
  const leftMs = memory.changed_at_ms === null ? 0 : memory.changed_at_ms + policy.cool_down_ms - nowMs;
  if (leftMs > 0)
    return hold("cool_down", `the shards have just changed; next change in ${Math.ceil(leftMs / 1000)} s`);
  return split(policy, memory, loads) ?? merge(policy, memory, loads) ?? rest(policy, loads);
}

function keepBounds(policy: ScalingPolicy, loads: readonly ShardLoad[]): ScalingDecision | null {
  const count = loads.length;
  if (count < policy.min_shards) {
    const largest = busiestOf(
      policy,
      loads.filter((load) => load.last_lane > load.first_lane),
    );
    if (!largest) return null;
    return {
      reason: "below_min",
      why: `${count} shards, at least ${policy.min_shards} are wanted`,
      change: cut(largest),
    };
  }
  if (count <= policy.max_shards) return null;
  const why = `${count} shards, at most ${policy.max_shards} are wanted`;
  const pair = coldestOf(candidatesOf(policy, loads));
  if (!pair || pair.utilisation > policy.split_above) {
    return hold("above_max", `${why}, but any two together would carry too much`);
  }
  return { reason: "above_max", why, change: join(pair) };
}

function split(policy: ScalingPolicy, memory: ScalingMemory, loads: readonly ShardLoad[]): ScalingDecision | null {
  const hot = loads.filter((load) => (memory.hot[load.id] ?? 0) >= policy.hot_looks);
  const load =
    busiestOf(
      policy,
      hot.filter((one) => one.last_lane > one.first_lane),
    ) ?? hot[0];
  if (!load) return null;
  const isLag = utilisationOf(policy, load) <= policy.split_above;
  const what = isLag
    ? `${load.id}: ${load.slowest} is ${seconds(load.lag_ms)} s behind and falls back further`
    : `${load.id} carries ${percent(utilisationOf(policy, load))} of what a shard takes`;
  if (load.first_lane === load.last_lane) {
    return hold("one_lane", `${what}, and has one lane only, which cannot be split: is there a hot key?`);
  }
  if (loads.length >= policy.max_shards) return hold("at_max", `${what}, but there are ${loads.length} shards already`);
  return { reason: isLag ? "lagging" : "hot", why: what, change: cut(load) };
}

function merge(policy: ScalingPolicy, memory: ScalingMemory, loads: readonly ShardLoad[]): ScalingDecision | null {
  if (loads.length <= policy.min_shards) return null;
  const cold = candidatesOf(policy, loads).filter((pair) => (memory.cold[pair.name] ?? 0) >= policy.cold_looks);
  const pair = coldestOf(cold);
  if (!pair) return null;
  const why = `${pair.left.id} and ${pair.right.id} together carry ${percent(pair.utilisation)} of what a shard takes`;
  return { reason: "cold", why, change: join(pair) };
}

function rest(policy: ScalingPolicy, loads: readonly ShardLoad[]): ScalingDecision {
  const stalled = loads.find((load) => load.is_stalled && (load.lag_ms ?? 0) > policy.lag_ms);
  if (stalled) {
    const why = `${stalled.slowest} stands still in ${stalled.id}, ${seconds(stalled.lag_ms)} s behind: a split would not help`;
    return hold("stalled", why);
  }
  const busiest = busiestOf(policy, loads) as ShardLoad;
  return hold(
    "quiet",
    `the busiest, ${busiest.id}, carries ${percent(utilisationOf(policy, busiest))} of what a shard takes`,
  );
}

/** Counts looks in a row; forgets shards that are gone; begins the cool-down where somebody else has changed them. */
function remember(policy: ScalingPolicy, before: ScalingMemory, look: Look, nowMs: number): ScalingMemory {
  const shards = look.loads.map((load) => load.id);
  const isChanged = before.shards.length > 0 && shards.join() !== before.shards.join();
  const hot = look.loads
    .filter((load) => isHot(policy, load))
    .map((load) => [load.id, (before.hot[load.id] ?? 0) + 1] as const);
  const cold = candidatesOf(policy, look.loads)
    .filter((pair) => isCold(policy, before.lag_splits, pair))
    .map((pair) => [pair.name, (before.cold[pair.name] ?? 0) + 1] as const);
  return {
    hot: Object.fromEntries(hot),
    cold: Object.fromEntries(cold),
    changed_at_ms: isChanged ? nowMs : before.changed_at_ms,
    shards,
    lag_splits: before.lag_splits,
  };
}

/** Who stands still is not helped by a split, and who catches up needs none. */
function isHot(policy: ScalingPolicy, load: ShardLoad): boolean {
  if (utilisationOf(policy, load) > policy.split_above) return true;
  return (load.lag_ms ?? 0) > policy.lag_ms && load.lag_growth_ms > 0 && !load.is_stalled;
}

function isCold(policy: ScalingPolicy, lagSplits: readonly LagSplit[], { left, right, utilisation }: Pair): boolean {
  if (left.bytes_per_s === null || right.bytes_per_s === null) return false;
  if (utilisation >= policy.merge_below) return false;
  if (Math.max(left.lag_ms ?? 0, right.lag_ms ?? 0) > policy.lag_ms / 2) return false;
  // A half of what once was too much for the consumer is not too much.
  return lagSplits
    .filter((one) => one.first_lane <= right.last_lane && one.last_lane >= left.first_lane)
    .every((one) => utilisation < one.utilisation / 2);
}

function addLagSplit(
  policy: ScalingPolicy,
  memory: ScalingMemory,
  look: Look,
  change: ShardChange,
): readonly LagSplit[] {
  const load = look.loads.find((one) => change.type === "split" && one.id === change.shard);
  if (!load) return memory.lag_splits;
  const { first_lane, last_lane } = load;
  const others = memory.lag_splits.filter((one) => one.first_lane !== first_lane || one.last_lane !== last_lane);
  return [...others, { first_lane, last_lane, utilisation: utilisationOf(policy, load) }].slice(-LANES);
}

function cut(load: ShardLoad): ShardChange {
  return { type: "split", shard: load.id, at_lane: splitLaneOf(load) };
}

function join({ left, right }: Pair): ShardChange {
  return { type: "merge", shards: [left.id, right.id] };
}

function hold(reason: ScalingReason, why: string): ScalingDecision {
  return { reason, why, change: null };
}

function percent(fraction: number): string {
  return `${Math.round(fraction * 100)} %`;
}

function seconds(ms: number | null): number {
  return Math.round((ms ?? 0) / 1000);
}
