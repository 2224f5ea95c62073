import type { Redis } from "ioredis";

import type { Event } from "../core/event.ts";
import type { Logger } from "../platform/logger.ts";
import { waitForSends } from "../platform/sends-under-way.ts";
import { setStopHints, type StopHint } from "../platform/stop-hint.ts";
import { withTimeout } from "../platform/with-timeout.ts";
import type { ExitEvents } from "./exit-events.ts";
import type { IngestMetrics } from "./metrics.ts";

const REDIS_TIMEOUT_MS = 250;
/** A provider that answers at all mostly does within this. */
const SENDS_TIMEOUT_MS = 2_000;

/**
 * Leaves a stop hint for everyone whose event may end a journey, and lets a message to them that is being handed over at
 * this moment get out, before the sender is told that the event was taken. Undefined where there is nothing to do. The
 * events are safe already, so trouble with Redis is logged and nothing more.
 */
export function createHintStep(redis: Redis, exits: ExitEvents, metrics: IngestMetrics, log: Logger) {
  return function leaveHints(clientId: string, events: readonly Event[]): Promise<void> | undefined {
    const hints: StopHint[] = [];
    for (const { event_type, user_id, anon_id } of events) {
      if (!exits.has(clientId, event_type)) continue;
      if (user_id) hints.push({ clientId, personKey: `user:${user_id}` });
      if (anon_id) hints.push({ clientId, personKey: `anon:${anon_id}` });
    }
    if (hints.length === 0) return undefined;
    return leave(redis, clientId, hints).catch((error: Error) => {
      metrics.hintFailures.inc();
      log.warn({ client_id: clientId, err: error.message }, "stop hints not left");
    });
  };
}

/** The hint first, then the look at what is going out: see `sends-under-way.ts`. */
async function leave(redis: Redis, clientId: string, hints: readonly StopHint[]): Promise<void> {
  await withTimeout(() => setStopHints(redis, hints), REDIS_TIMEOUT_MS, "Redis");
  const personKeys = hints.map((hint) => hint.personKey);
  const wait = () => waitForSends(redis, { clientId, personKeys }, SENDS_TIMEOUT_MS);
  const isQuiet = await withTimeout(wait, SENDS_TIMEOUT_MS + REDIS_TIMEOUT_MS, "Redis");
  if (!isQuiet) throw new Error("a message is still being handed over");
}
