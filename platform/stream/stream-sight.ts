import { DescribeStreamSummaryCommand } from "@aws-sdk/client-kinesis";

import type { ShardProgress, ShardSight, StreamSight } from "../../core/shard-load.ts";
import type { Context } from "../context.ts";
import { createLeaseStore, type Lease } from "./lease-store.ts";
import { lanesOf, listShards, type StreamShard } from "./shard-list.ts";

/**
 * A stream's open shards and how far its consumers are in them: two calls to Kinesis, and one read of the leases for each
 * consumer. Throws where either does not answer.
 */
export async function lookAtStream(
  ctx: Pick<Context, "config" | "dynamodb" | "kinesis">,
  { stream, consumers }: { stream: string; consumers: readonly string[] },
): Promise<StreamSight> {
  const summary = await ctx.kinesis.send(new DescribeStreamSummaryCommand({ StreamName: stream }));
  const shards = await listShards(ctx.kinesis, stream);
  const ids = shards.map((shard) => shard.id);
  const held = await Promise.all(
    consumers.map(async (consumer) => {
      const leases = createLeaseStore(ctx, { stream, consumer, owner: "sight", leaseMs: 0 });
      return [consumer, await leases.read(ids)] as const;
    }),
  );
  // A consumer without any lease is not deployed.
  const begun = held.filter(([, leases]) => leases.size > 0);
  return {
    at_ms: Date.now(),
    status: summary.StreamDescriptionSummary?.StreamStatus ?? "UNKNOWN",
    shards: shards
      .filter((shard) => shard.isOpen)
      .flatMap((shard) => toSight(shard, begun))
      .toSorted(byLane),
    behind_change: begun.filter(([, leases]) => isBehindChange(shards, leases)).map(([consumer]) => consumer),
  };
}

type Held = readonly (readonly [string, ReadonlyMap<string, Lease>])[];

function toSight(shard: StreamShard, held: Held): ShardSight[] {
  const lanes = lanesOf(shard);
  const [first_lane] = lanes;
  if (first_lane === undefined) return [];
  const consumers: Record<string, ShardProgress> = {};
  for (const [consumer, leases] of held) {
    const progress = leases.get(shard.id)?.progress;
    if (progress) consumers[consumer] = progress;
  }
  return [{ id: shard.id, first_lane, last_lane: lanes.at(-1) ?? first_lane, consumers }];
}

/** A closed shard that it has a lease on, or never began with, while another one came out of it. */
function isBehindChange(shards: readonly StreamShard[], leases: ReadonlyMap<string, Lease>): boolean {
  const kept = new Map(shards.map((shard) => [shard.id, shard]));
  return shards.some(
    (shard) => shard.isOpen && shard.parents.some((parent) => kept.has(parent) && leases.get(parent)?.ended !== true),
  );
}

function byLane(a: ShardSight, b: ShardSight): number {
  return a.first_lane - b.first_lane;
}
