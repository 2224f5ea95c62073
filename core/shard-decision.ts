import type { Judged, LookedAt, ScalingMode } from "./contracts/shard-scaling.ts";
import { loadsOf, type StreamSight } from "./shard-load.ts";
import { refuseChange } from "./shard-request.ts";
import {
  decideScaling,
  rememberChange,
  type ScalingMemory,
  type ScalingPolicy,
  type ShardChange,
} from "./shard-scaling.ts";

/** What follows from a look at the stream, after the look before. While paused nothing is decided, and nothing learnt. */
export function decideOn(
  sight: StreamSight,
  {
    mode,
    policy,
    before,
    memory,
  }: { mode: ScalingMode; policy: ScalingPolicy; before: StreamSight | null; memory: ScalingMemory },
): LookedAt {
  const loads = loadsOf(before, sight);
  if (mode === "paused") return { sight, loads, memory, decision: null };
  const { status, behind_change, at_ms } = sight;
  return { sight, loads, ...decideScaling(policy, memory, { status, behind_change, loads }, at_ms) };
}

/** What is to be said of a change that somebody asks for. */
export function judgeAsked(
  sight: StreamSight,
  { policy, memory, change }: { policy: ScalingPolicy; memory: ScalingMemory; change: ShardChange },
): Judged {
  return { reason: refuseChange(policy, sight, change), memory: rememberChange(memory, sight.at_ms) };
}
