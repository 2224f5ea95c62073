import type { z } from "zod";

import type { ScalingStatus } from "../../../core/contracts/shard-scaling.ts";
import type { ShardSight } from "../../../core/shard-load.ts";
import { STREAM_CONSUMERS, STREAM_KINDS, type StreamKind } from "../../../core/stream-consumers.ts";
import { logAccess, requireScope } from "../../../crm/context.ts";
import { readHotKeys } from "../../../platform/hot-keys.ts";
import { streamOf } from "../../../platform/stream/stream-name.ts";
import { lookAtStream } from "../../../platform/stream/stream-sight.ts";
import type { ApiContext } from "../../context.ts";
import { defineRoute } from "../../route.ts";
import { streamsSchema } from "./schemas.ts";

export const getStreamRoute = defineRoute({
  method: "get",
  path: "/api/v1/stream",
  operationId: "getStream",
  tag: "operations",
  summary: "Shards, lanes and lag of both streams, what was decided about them and why, and hot keys of all clients",
  scope: "operator",
  responses: { 200: { description: "As it is now.", schema: streamsSchema } },
  async handle({ ctx, api }) {
    requireScope(ctx, "operator");
    const streams = await Promise.all(STREAM_KINDS.map((kind) => describeStream(api, kind)));
    const hot_keys = await readHotKeys(api.redis).catch(() => null);
    // Sessions and people of all clients are among them.
    logAccess(ctx, "stream.read", "hot-keys");
    return { status: 200, body: { streams, hot_keys } };
  },
});

type StreamView = z.input<typeof streamsSchema>["streams"][number];

async function describeStream(api: ApiContext, kind: StreamKind): Promise<StreamView> {
  const stream = streamOf(api.config, kind);
  const [sight, status] = await Promise.all([
    lookAtStream(api, { stream, consumers: STREAM_CONSUMERS[kind] }),
    api.shards.status(stream),
  ]);
  const shards = sight.shards.map((shard) => describeShard(shard, sight.at_ms, status));
  const scaling = status && describeScaling(status);
  return { stream: kind, status: sight.status, behind_change: [...sight.behind_change], shards, scaling };
}

function describeShard(
  { id, first_lane, last_lane, consumers }: ShardSight,
  nowMs: number,
  status: ScalingStatus | null,
) {
  const load = status?.loads.find((one) => one.id === id);
  return {
    id,
    first_lane,
    last_lane,
    records_per_s: load?.records_per_s ?? null,
    bytes_per_s: load?.bytes_per_s ?? null,
    lanes: (load?.lane_shares ?? []).map((share, at) => ({ lane: first_lane + at, share })),
    consumers: Object.entries(consumers).map(([name, { handled_up_to_ms }]) => ({
      name,
      lag_ms: Math.max(0, nowMs - handled_up_to_ms),
    })),
  };
}

export function describeScaling({ mode, policy, look_every_ms, looked_at, decisions }: ScalingStatus) {
  return { mode, policy: { ...policy }, look_every_ms, looked_at, decisions };
}
