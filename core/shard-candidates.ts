import type { ShardLoad } from "./shard-load.ts";
import type { ScalingPolicy } from "./shard-scaling.ts";

type Limits = Pick<ScalingPolicy, "shard_records_per_s" | "shard_bytes_per_s">;

/** Two neighbours that a merge would make one. */
export interface Pair {
  name: string;
  left: ShardLoad;
  right: ShardLoad;
  /** Of both together. */
  utilisation: number;
}

/** How much of what a shard takes it carries: 1 is all of it, in records or in bytes. */
export function utilisationOf(limits: Limits, load: Pick<ShardLoad, "records_per_s" | "bytes_per_s">): number {
  const records = (load.records_per_s ?? 0) / limits.shard_records_per_s;
  return Math.max(records, (load.bytes_per_s ?? 0) / limits.shard_bytes_per_s);
}

/** The one that carries most; of those that carry nothing, the one with most lanes. */
export function busiestOf(limits: Limits, loads: readonly ShardLoad[]): ShardLoad | undefined {
  return bestOf(
    loads,
    (a, b) =>
      utilisationOf(limits, b) - utilisationOf(limits, a) || b.last_lane - b.first_lane - (a.last_lane - a.first_lane),
  );
}

export function coldestOf(pairs: readonly Pair[]): Pair | undefined {
  return bestOf(pairs, (a, b) => a.utilisation - b.utilisation);
}

/** The first of those that no other comes before. */
function bestOf<T>(items: readonly T[], compare: (a: T, b: T) => number): T | undefined {
  return items.reduce<T | undefined>(
    (best, item) => (best === undefined || compare(item, best) < 0 ? item : best),
    undefined,
  );
}

export function candidatesOf(limits: Limits, loads: readonly ShardLoad[]): Pair[] {
  return loads.slice(1).map((right, at) => {
    const left = loads[at] as ShardLoad;
    const together = {
      records_per_s: (left.records_per_s ?? 0) + (right.records_per_s ?? 0),
      bytes_per_s: (left.bytes_per_s ?? 0) + (right.bytes_per_s ?? 0),
    };
    return { name: `${left.id}+${right.id}`, left, right, utilisation: utilisationOf(limits, together) };
  });
}

/**
 * The lane before which a cut makes the most equal halves; of equally good ones that nearest to the middle, or to the lane
 * that carries more than all others together: it is to be alone soon.
 */
export function splitLaneOf({ first_lane, last_lane, lane_shares }: ShardLoad): number {
  const heavy = first_lane + lane_shares.findIndex((share) => share > 0.5);
  const middle = heavy < first_lane ? (first_lane + last_lane + 1) / 2 : heavy + 0.5;
  const cuts = Array.from({ length: last_lane - first_lane }, (_, i) => first_lane + 1 + i);
  const unevenness = (lane: number) => {
    const left = lane_shares.slice(0, lane - first_lane).reduce((a, b) => a + b, 0);
    return Math.round(Math.abs(1 - 2 * left) * 1e6);
  };
  const best = bestOf(
    cuts,
    (a, b) => unevenness(a) - unevenness(b) || Math.abs(a - middle) - Math.abs(b - middle) || a - b,
  );
  return best ?? last_lane;
}
