import { z } from "zod";

import { SCALING_MODES } from "../../../core/contracts/shard-scaling.ts";
import { LANES } from "../../../core/position.ts";
import { STREAM_KINDS } from "../../../core/stream-consumers.ts";

const lane = z
  .int()
  .min(0)
  .max(LANES - 1);
const shardId = z.string().min(1).max(128);
const perSecond = z.number().nullable().meta({ description: "Null until it has been looked at twice." });

export const kindSchema = z.enum(STREAM_KINDS);

export const changeSchema = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("split"), shard: shardId, at_lane: lane.min(1) }),
    z.strictObject({ type: z.literal("merge"), shards: z.tuple([shardId, shardId]) }),
  ])
  .meta({
    id: "ShardChange",
    description:
      "`at_lane` becomes the first lane of the second half. Merged are neighbours, in the order of their lanes.",
  });

const hotKeySchema = z
  .object({
    client_id: z.string(),
    key: z
      .string()
      .meta({ description: "A session, device or user; in the user store a person, `COUNTER` or `SEEN`." }),
    per_s: z.number().meta({ description: "Bytes, in the user store write units: at least so much." }),
    share: z.number().meta({ description: "Of what the same process has seen, 0 to 1." }),
  })
  .meta({ id: "HotKey" });

const shardSchema = z.object({
  id: z.string(),
  first_lane: lane,
  last_lane: lane,
  records_per_s: perSecond,
  bytes_per_s: perSecond,
  lanes: z
    .array(z.object({ lane, share: z.number() }))
    .meta({ description: "Each lane's share of the shard's bytes since the last look." }),
  consumers: z.array(z.object({ name: z.string(), lag_ms: z.number() })),
});

const decisionSchema = z.object({
  reason: z.string(),
  why: z.string(),
  change: changeSchema.nullable(),
  at: z.string(),
  until: z.string(),
  looks: z.int(),
  by: z.string().nullable(),
  outcome: z.object({ state: z.enum(["done", "dry_run", "refused"]), reason: z.string().optional() }).nullable(),
});

export const scalingSchema = z
  .object({
    mode: z.enum(SCALING_MODES),
    policy: z.record(z.string(), z.number()),
    look_every_ms: z.number(),
    looked_at: z.string().nullable(),
    decisions: z.array(decisionSchema).meta({ description: "Latest first." }),
  })
  .meta({ id: "ShardScaling" });

export const streamsSchema = z
  .object({
    streams: z.array(
      z.object({
        stream: kindSchema,
        status: z.string().meta({ example: "ACTIVE" }),
        behind_change: z
          .array(z.string())
          .meta({ description: "Consumers that still read what the last change closed." }),
        shards: z.array(shardSchema),
        scaling: scalingSchema.nullable().meta({ description: "Null where nobody looks after it just now." }),
      }),
    ),
    hot_keys: z
      .object({ stream: z.array(hotKeySchema), user_store: z.array(hotKeySchema) })
      .nullable()
      .meta({ description: "Heaviest first, over the last minute; null where Redis is away." }),
  })
  .meta({ id: "Streams" });

export const configureSchema = z
  .strictObject({
    mode: z.enum(SCALING_MODES).optional(),
    policy: z
      .strictObject({
        min_shards: z.int().min(1).max(LANES),
        max_shards: z.int().min(1).max(LANES),
        shard_records_per_s: z.number().positive(),
        shard_bytes_per_s: z.number().positive(),
        split_above: z.number().positive().max(1),
        merge_below: z.number().min(0).max(1),
        lag_ms: z.int().min(1_000),
        hot_looks: z.int().min(1),
        cold_looks: z.int().min(1),
        cool_down_ms: z.int().min(0),
      })
      .partial()
      .optional(),
    look_every_ms: z.int().min(100).optional(),
  })
  .meta({ description: "What is left out stays as it is." });
