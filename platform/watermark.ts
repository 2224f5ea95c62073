import type { Redis } from "ioredis";

import type { ConsumerOptions } from "./stream/types.ts";

/** A consumer whose progress others wait for. */
export type Watermarked = "enrich" | "automation" | "lake" | "receipts";

/**
 * All shards that are open, each at 0 until told of; the one at hand never backwards; those that ended are gone.
 * One script, so that a reader never sees a shard without its sibling.
 * KEYS: the hash. ARGV: how many are open, the open ones, those that ended.
 */
const SET_SHARDS = `
local open = tonumber(ARGV[1])
for i = 2, open + 1 do redis.call('HSETNX', KEYS[1], ARGV[i], '0') end
for i = open + 2, #ARGV do redis.call('HDEL', KEYS[1], ARGV[i]) end
return 0`;
/** KEYS: the hash. ARGV: shard, time, the open shards. */
const ADVANCE = `
local before = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if tonumber(ARGV[2]) > before then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
for i = 3, #ARGV do redis.call('HSETNX', KEYS[1], ARGV[i], '0') end
return 0`;

/** The hash that holds, for each open shard, the time up to which everything acknowledged has been handled. */
export function watermarkKey(name: Watermarked): string {
  return `livora:watermark:${name}`;
}

/**
 * Everything the edge acknowledged before this moment (epoch milliseconds, Redis' clock) has been handled by the
 * consumer; 0 where that is not known. Throws where Redis is away.
 */
export async function readWatermark(redis: Redis, name: Watermarked): Promise<number> {
  const shards = await redis.hvals(watermarkKey(name));
  return shards.length === 0 ? 0 : Math.min(...shards.map(Number));
}

/** What a consumer's options take to publish its progress; `onError` hears of it where Redis is away. */
export function publishWatermark(
  redis: Redis,
  name: Watermarked,
  onError: (error: unknown) => void,
): Pick<ConsumerOptions<unknown>, "onProgress" | "onShards"> {
  const key = watermarkKey(name);
  let open: readonly string[] = [];
  return {
    onProgress({ shard, upToMs }) {
      redis.eval(ADVANCE, 1, key, shard, Math.floor(upToMs), ...open).catch(onError);
    },
    async onShards(nowOpen, ended) {
      open = nowOpen;
      await redis.eval(SET_SHARDS, 1, key, open.length, ...open, ...ended).catch(onError);
    },
  };
}
