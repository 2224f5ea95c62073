import type { ScalingActivities } from "../core/contracts/shard-scaling.ts";
import { decideOn, judgeAsked } from "../core/shard-decision.ts";
import type { Context } from "../platform/context.ts";
import { changeShards } from "../platform/stream/change-shards.ts";
import { lookAtStream } from "../platform/stream/stream-sight.ts";

export function createScalingActivities(
  ctx: Pick<Context, "config" | "dynamodb" | "kinesis" | "log">,
): ScalingActivities {
  return {
    decideOnShards: async (input) => decideOn(await lookAtStream(ctx, input), input),
    judgeChange: async (input) => judgeAsked(await lookAtStream(ctx, input), input),
    lookAtStream: (input) => lookAtStream(ctx, input),
    async changeShards(input) {
      const outcome = await changeShards(ctx.kinesis, input);
      ctx.log.info({ stream: input.stream, change: input.change, outcome }, "shards");
      return outcome;
    },
  };
}
