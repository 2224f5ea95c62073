import type { Redis } from "ioredis";
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";

import { AppError } from "../core/errors.ts";
import { MAX_BATCH } from "../core/event.ts";
import type { Caller } from "../platform/keyring.ts";
import { withTimeout } from "../platform/with-timeout.ts";

/** What this process may give out to a client without asking again, until the window ends. */
interface Lease {
  events: number;
  /** In `performance.now()`: a wall clock that is set back must shut nobody out. */
  endsAtMs: number;
  /** What Redis had left in the window when it was last asked. */
  left: number;
  asking: Promise<void> | null;
}

/** A lease is this part of what a client may send in a window, so a busy client costs Redis some forty calls a second. */
const LEASES_IN_WINDOW = 40;
const REDIS_TIMEOUT_MS = 250;

export interface Limiter {
  /** Throws `limited` where the client has nothing left in this window: known before the body is read. */
  refuseExhausted(caller: Caller): void;
  /** Takes `events` from what the client may send; a promise only where Redis must be asked. Throws `limited`. */
  take(caller: Caller, events: number): void | Promise<void>;
}

/**
 * Events a second for each client, over all processes: counted in Redis, leased in portions, so that the hot path stays
 * off the network. While Redis is away each process counts for itself.
 */
export function createLimiter(redis: Redis): Limiter {
  const leases = new Map<string, Lease>();
  const limiters = new Map<string, ReturnType<typeof createWindow>>();

  const leaseOf = (caller: Caller, nowMs: number): Lease => {
    const lease = leases.get(caller.clientId);
    if (lease && lease.endsAtMs > nowMs) return lease;
    const fresh: Lease = { events: 0, endsAtMs: nowMs + 1_000, left: Number.POSITIVE_INFINITY, asking: null };
    leases.set(caller.clientId, fresh);
    return fresh;
  };

  const windowOf = (caller: Caller) => {
    const key = String(caller.eventsPerSecond);
    const window = limiters.get(key) ?? createWindow(redis, caller.eventsPerSecond);
    limiters.set(key, window);
    return window;
  };

  const ask = async (lease: Lease, caller: Caller, events: number): Promise<void> => {
    const window = windowOf(caller);
    const portion = Math.min(Math.ceil(window.capacity / LEASES_IN_WINDOW), lease.left);
    const answer = await window.consume(caller.clientId, Math.max(events - lease.events, portion, 1));
    lease.events += answer.granted;
    lease.left = answer.left;
    lease.endsAtMs = performance.now() + answer.endsInMs;
    lease.asking = null;
  };

  const takeSlowly = async (caller: Caller, events: number): Promise<void> => {
    for (;;) {
      const lease = leaseOf(caller, performance.now());
      if (lease.events >= events) {
        lease.events -= events;
        return;
      }
      if (lease.events + lease.left < events) throw limited(lease);
      // At most one question for a lease at a time.
      lease.asking ??= ask(lease, caller, events);
      await lease.asking;
    }
  };

  return {
    refuseExhausted(caller) {
      const lease = leases.get(caller.clientId);
      if (lease && lease.events + lease.left < 1 && lease.endsAtMs > performance.now()) throw limited(lease);
    },
    take(caller, events) {
      if (!(caller.eventsPerSecond > 0)) throw new AppError("limited", "This client may not send.", BLOCKED);
      const lease = leases.get(caller.clientId);
      if (!lease || lease.events < events || lease.endsAtMs <= performance.now()) return takeSlowly(caller, events);
      lease.events -= events;
      return undefined;
    },
  };
}

/** Somebody has to change the client's settings first. */
const BLOCKED = { retryAfterMs: 60_000 };

function limited(lease: Lease): AppError {
  const retryAfterMs = Math.max(1, lease.endsAtMs - performance.now());
  return new AppError("limited", "More events than this client may send.", { retryAfterMs });
}

interface Grant {
  granted: number;
  left: number;
  endsInMs: number;
}

/** A window of one second, or of as many as it takes to let a full batch through. */
function createWindow(redis: Redis, eventsPerSecond: number) {
  const duration = Math.max(1, Math.ceil(MAX_BATCH / eventsPerSecond));
  const options = { keyPrefix: "livora:limit", points: Math.floor(eventsPerSecond * duration), duration };
  const shared = new RateLimiterRedis({ ...options, storeClient: redis, rejectIfRedisNotReady: true });
  const own = new RateLimiterMemory(options);
  const consume = async (clientId: string, events: number): Promise<Grant> => {
    try {
      return grantOf(await withTimeout(() => shared.consume(clientId, events), REDIS_TIMEOUT_MS, "Redis"), events);
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return grantOf(refusal, 0);
      return own.consume(clientId, events).then(
        (answer) => grantOf(answer, events),
        (refusal: RateLimiterRes) => grantOf(refusal, 0),
      );
    }
  };
  return { capacity: options.points, consume };
}

function grantOf(answer: RateLimiterRes, granted: number): Grant {
  const left = granted === 0 ? 0 : answer.remainingPoints;
  return { granted, left, endsInMs: Math.max(1, answer.msBeforeNext) };
}
