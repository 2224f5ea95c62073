import type { ScalingDecision, ScalingMemory, ScalingPolicy, ShardChange } from "../shard-scaling.ts";
import type { ShardLoad, StreamSight } from "../shard-load.ts";

/** Splits and merges the shards of one stream; runs for ever, one for each stream. */
export const SCALING_WORKFLOW = "scaleShards";
export const SCALING_TASK_QUEUE = "shards";

/** By the stream's own name, which is the installation's. */
export function scalingId(stream: string): string {
  return `shards:${stream}`;
}

/** `auto` changes shards, `dry_run` only says what it would change, `paused` looks on. What is asked for by hand is done in each. */
export const SCALING_MODES = ["auto", "dry_run", "paused"] as const;
export type ScalingMode = (typeof SCALING_MODES)[number];

export interface ScalingInput {
  stream: string;
  /** Whose progress counts: names of leases. */
  consumers: readonly string[];
  mode: ScalingMode;
  policy: ScalingPolicy;
  look_every_ms: number;
  /** Set by continue-as-new. */
  carried?: { memory: ScalingMemory; sight: StreamSight | null; decisions: DecisionEntry[] };
}

/** One decision, or the same one several times in a row. */
export interface DecisionEntry extends ScalingDecision {
  /** ISO 8601 UTC: first and last time. */
  at: string;
  until: string;
  looks: number;
  /** Who asked for it; null where nobody did. */
  by: string | null;
  /** What became of the change; null where none was to be made. */
  outcome: ChangeOutcome | null;
}

export type ChangeOutcome = { state: "done" } | { state: "dry_run" } | { state: "refused"; reason: string };

/** What the query answers. */
export interface ScalingStatus {
  stream: string;
  mode: ScalingMode;
  policy: ScalingPolicy;
  look_every_ms: number;
  /** ISO 8601 UTC; null before the first look. */
  looked_at: string | null;
  loads: ShardLoad[];
  /** Latest first. */
  decisions: DecisionEntry[];
}

export const SCALING_STATUS_QUERY = "status";
/** Changes mode and policy; what is left out stays. Answers the status. */
export const CONFIGURE_UPDATE = "configure";
/** Splits or merges now, within bounds, whatever the mode. Answers the outcome. */
export const CHANGE_UPDATE = "change";

export interface ConfigureScaling {
  mode?: ScalingMode;
  policy?: Partial<ScalingPolicy>;
  look_every_ms?: number;
}

export interface RequestedChange {
  change: ShardChange;
  by: string;
}

/** A look at the stream, and what follows from it. */
export interface LookedAt {
  sight: StreamSight;
  loads: ShardLoad[];
  /** To be handed in with the next look; nobody else need understand it. */
  memory: ScalingMemory;
  /** Null while paused. */
  decision: ScalingDecision | null;
}

/** Whether a change that somebody asks for can be made. */
export interface Judged {
  /** Why it cannot; null where it can. */
  reason: string | null;
  /** Once it is made. */
  memory: ScalingMemory;
}

/** The decisions are taken in activities, so that a history holds what was decided, and the rules may change under a running workflow. */
export interface ScalingActivities {
  decideOnShards(
    input: Pick<ScalingInput, "stream" | "consumers" | "mode" | "policy"> & {
      before: StreamSight | null;
      memory: ScalingMemory;
    },
  ): Promise<LookedAt>;
  judgeChange(
    input: Pick<ScalingInput, "stream" | "consumers" | "policy"> & { change: ShardChange; memory: ScalingMemory },
  ): Promise<Judged>;
  /** Asked again for what is done already, it answers `done`. */
  changeShards(input: { stream: string; change: ShardChange }): Promise<ChangeOutcome>;
  /** Of runs from before decisions were taken in activities: goes once none of them is left. */
  lookAtStream(input: { stream: string; consumers: readonly string[] }): Promise<StreamSight>;
}
