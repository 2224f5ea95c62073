import type { Redis } from "ioredis";

import type { Event } from "../core/event.ts";
import type { Logger } from "../platform/logger.ts";
import { setStopHints, type StopHint } from "../platform/stop-hint.ts";
import type { ExitEvents } from "./exit-events.ts";
import type { IngestMetrics } from "./metrics.ts";

const REDIS_TIMEOUT_MS = 250;

/**
 * Leaves a stop hint for everyone whose event may end a journey, before the sender is told that it was taken. Undefined
 * where there is nothing to do. The events are safe already, so trouble with Redis is logged and nothing more.
 */
export function createHintStep(redis: Redis, exits: ExitEvents, metrics: IngestMetrics, log: Logger) {
  return function leaveHints(
    clientId: string,
    events: readonly Event[],
    receivedAtMs: number,
  ): Promise<void> | undefined {
    const hints: StopHint[] = [];
    for (const { event_type, user_id, anon_id } of events) {
      if (!exits.has(clientId, event_type)) continue;
      if (user_id) hints.push({ clientId, personKey: `user:${user_id}` });
      if (anon_id) hints.push({ clientId, personKey: `anon:${anon_id}` });
    }
    if (hints.length === 0) return undefined;
    return withTimeout(setStopHints(redis, hints, receivedAtMs)).catch((error: Error) => {
      metrics.hintFailures.inc();
      log.warn({ client_id: clientId, err: error.message }, "stop hints not left");
    });
  };
}

function withTimeout(work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("Redis has not answered in time")), REDIS_TIMEOUT_MS);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
