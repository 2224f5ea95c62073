import type { ScalingActivities } from "../../core/contracts/shard-scaling.ts";
import { decideOn, judgeAsked } from "../../core/shard-decision.ts";
import { lookAtStream } from "./activities.ts";

/**
 * Runs that began before decisions were taken in activities decide in the workflow, until they go on in a new execution some
 * hours later. This file, and the activity `lookAtStream`, go once there are none.
 */
export const decideHere: ScalingActivities["decideOnShards"] = async (input) =>
  decideOn(await lookAtStream({ stream: input.stream, consumers: input.consumers }), input);

export const judgeHere: ScalingActivities["judgeChange"] = async (input) =>
  judgeAsked(await lookAtStream({ stream: input.stream, consumers: input.consumers }), input);
