import { dayIn, startOfNextDay } from "../core/calendar-day.ts";
import { AppError } from "../core/errors.ts";
import type { Channel } from "../core/message.ts";
import type { ClientSettings } from "../platform/postgres/schema.ts";
import type { DeliveryContext } from "./context.ts";

/** Messages a day where the client has set nothing; `all` is all channels together. */
const DEFAULT_PER_DAY: Record<Channel | "all", number> = {
  email: 100_000,
  sms: 50_000,
  whatsapp: 50_000,
  push: 200_000,
  all: 250_000,
};
/** Two days, so that no zone's day is forgotten while it lasts. */
const KEPT_SECONDS = 2 * 24 * 3600;

/**
 * Counts a delivery once, however often it is tried. KEYS: the delivery's mark, the channel's count, all channels' count.
 * ARGV: the two limits, seconds to keep. Answers which limit is in the way: 0 none, 1 the channel's, 2 that of all.
 */
const TAKE = `
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
if tonumber(redis.call('GET', KEYS[2]) or '0') >= tonumber(ARGV[1]) then return 1 end
if tonumber(redis.call('GET', KEYS[3]) or '0') >= tonumber(ARGV[2]) then return 2 end
for i = 2, 3 do
  redis.call('INCR', KEYS[i])
  redis.call('EXPIRE', KEYS[i], ARGV[3])
end
redis.call('SET', KEYS[1], KEYS[2], 'EX', ARGV[3])
return 0`;
const GIVE_BACK = `
if redis.call('DEL', KEYS[1]) == 0 then return 0 end
for i = 2, 3 do if redis.call('EXISTS', KEYS[i]) == 1 then redis.call('DECR', KEYS[i]) end end
return 1`;

export interface QuotaClaim {
  client_id: string;
  channel: Channel;
  delivery_id: string;
  settings: ClientSettings;
}

export type QuotaAnswer = { ok: true } | { ok: false; reason: string; retry_at: string };

/** Takes one message from the client's day. Throws `unavailable` where Redis is away: no count, no message. */
export async function takeQuota(ctx: DeliveryContext, claim: QuotaClaim, nowMs = Date.now()): Promise<QuotaAnswer> {
  const { settings, channel } = claim;
  const limits = [limitOf(settings, channel), limitOf(settings, "all")];
  const keys = keysOf(claim, nowMs);
  const barrier = await onRedis(() => ctx.redis.eval(TAKE, keys.length, ...keys, ...limits, KEPT_SECONDS));
  if (barrier === 0) return { ok: true };
  const retry_at = new Date(startOfNextDay(settings.timezone ?? "UTC", nowMs)).toISOString();
  return { ok: false, reason: barrier === 1 ? `quota_${channel}` : "quota_all", retry_at };
}

/** For a message that does not go out after all. A day that has changed meanwhile loses nothing. */
export async function giveQuotaBack(ctx: DeliveryContext, claim: QuotaClaim, nowMs = Date.now()): Promise<void> {
  const keys = keysOf(claim, nowMs);
  await ctx.redis.eval(GIVE_BACK, keys.length, ...keys).catch(() => undefined);
}

function limitOf(settings: ClientSettings, channel: Channel | "all"): number {
  return settings.messages_per_day?.[channel] ?? DEFAULT_PER_DAY[channel];
}

function keysOf({ client_id, channel, delivery_id, settings }: QuotaClaim, nowMs: number): [string, string, string] {
  const day = dayIn(settings.timezone ?? "UTC", nowMs);
  // The braces keep a client's keys on one node of a Redis cluster, as a script needs.
  const prefix = `livora:quota:{${client_id}}`;
  return [`${prefix}:taken:${delivery_id}`, `${prefix}:${day}:${channel}`, `${prefix}:${day}:all`];
}

async function onRedis<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new AppError("unavailable", "The quotas are out of reach.", { cause: error, retryAfterMs: 2_000 });
  }
}
