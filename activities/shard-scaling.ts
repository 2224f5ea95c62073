import type { ScalingActivities } from "../core/contracts/shard-scaling.ts";
import type { Context } from "../platform/context.ts";
import { changeShards } from "../platform/stream/change-shards.ts";
import { lookAtStream } from "../platform/stream/stream-sight.ts";

export function createScalingActivities(
  ctx: Pick<Context, "config" | "dynamodb" | "kinesis" | "log">,
): ScalingActivities {
  return {
    lookAtStream: (input) => lookAtStream(ctx, input),
    async changeShards(input) {
      const outcome = await changeShards(ctx.kinesis, input);
      ctx.log.info({ stream: input.stream, change: input.change, outcome }, "shards");
      return outcome;
    },
  };
}
