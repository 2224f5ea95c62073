import { LANES } from "./position.ts";
import type { StreamSight } from "./shard-load.ts";
import type { ScalingPolicy, ShardChange } from "./shard-scaling.ts";

/** Why a change that somebody asks for cannot be made; null where it can. */
export function refuseChange(
  policy: Pick<ScalingPolicy, "min_shards" | "max_shards">,
  sight: StreamSight,
  change: ShardChange,
): string | null {
  if (sight.status !== "ACTIVE") return `the stream is ${sight.status}: ask again`;
  return change.type === "split" ? refuseSplit(policy, sight, change) : refuseMerge(policy, sight, change);
}

function refuseSplit(
  { max_shards }: Pick<ScalingPolicy, "max_shards">,
  { shards }: StreamSight,
  change: Extract<ShardChange, { type: "split" }>,
): string | null {
  const shard = shards.find((one) => one.id === change.shard);
  if (!shard) return `${change.shard} is no open shard`;
  if (shards.length >= max_shards) return `there are ${shards.length} shards, at most ${max_shards} are allowed`;
  const { first_lane, last_lane } = shard;
  if (first_lane === last_lane) return `${shard.id} has one lane only, ${first_lane}, which cannot be split`;
  if (change.at_lane > first_lane && change.at_lane <= last_lane) return null;
  return `${shard.id} has lanes ${first_lane} to ${last_lane}: it can be split before ${first_lane + 1} to ${last_lane}`;
}

function refuseMerge(
  { min_shards }: Pick<ScalingPolicy, "min_shards">,
  { shards }: StreamSight,
  { shards: [left, right] }: Extract<ShardChange, { type: "merge" }>,
): string | null {
  const at = shards.findIndex((one) => one.id === left);
  if (at < 0) return `${left} is no open shard`;
  if (!shards.some((one) => one.id === right)) return `${right} is no open shard`;
  if (shards[at + 1]?.id !== right) return `${right} is not the shard after ${left}`;
  return shards.length <= min_shards ? `there are ${shards.length} shards, at least ${min_shards} are wanted` : null;
}

/** Throws nothing: says what is wrong with a policy, or null. */
export function refusePolicy(policy: ScalingPolicy): string | null {
  const { min_shards, max_shards, split_above, merge_below } = policy;
  if (!Object.values(policy).every((value) => Number.isFinite(value) && value >= 0)) return "a number is no number";
  if (!Number.isInteger(min_shards) || !Number.isInteger(max_shards)) return "shards are counted in whole numbers";
  if (min_shards < 1 || max_shards > LANES || min_shards > max_shards) return `shards: 1 to ${LANES}, min to max`;
  if (merge_below >= split_above) return "merge_below must be less than split_above, or shards would come and go";
  return null;
}
