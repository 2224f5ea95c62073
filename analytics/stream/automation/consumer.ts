import { Counter, type Registry } from "prom-client";

import { decodeEnriched, type EnrichedEvent, readEnrichment } from "../../../core/enriched-event.ts";
import { type Fences, mergeFences } from "../../../core/fence.ts";
import type { Context } from "../../../platform/context.ts";
import { type DeadLetter, writeDeadLetters } from "../../../platform/dead-letters.ts";
import { describeError } from "../../../platform/describe-error.ts";
import type { ConsumerOptions, StreamBatch, StreamEntry } from "../../../platform/stream/types.ts";
import { connectJourneys, type Journeys } from "../../../platform/temporal.ts";
import { createUserStore, type UserStore } from "../../../platform/user-store.ts";
import { readRedisTimeMs } from "../../../platform/redis-time.ts";
import { publishWatermark, readWatermark } from "../../../platform/watermark.ts";
import { isolatePoison } from "../isolate.ts";
import { takeNew } from "../lane-filter.ts";
import { admitEntries } from "./admit.ts";
import { createCampaignIndex } from "./campaign-index.ts";
import { upsertContacts } from "./contacts.ts";
import { createIdentities } from "./identities.ts";
import { matchEvents } from "./match.ts";
import type { Rules } from "./rules.ts";
import { createStarter } from "./starter.ts";
import { stopRuns } from "./stop-runs.ts";
import { tellRuns } from "./tell-runs.ts";

const NAME = "automation";
const MAX_BATCH_BYTES = 2 * 1024 * 1024;
const SWEEP_EVERY_MS = 5_000;

export interface AutomationConsumer extends ConsumerOptions<Fences> {
  /** Ends the sweep and lets go of Temporal; after the consumer has stopped. */
  close(): Promise<void>;
}

/**
 * From enriched events to journeys: who people are, then what ends runs, then who enters, then what runs wait for. Each kind is
 * one statement for the batch. PostgreSQL decides and is durable when a batch is done; Temporal is told afterwards, and
 * again by a sweep where it was away.
 */
export function createAutomationConsumer(
  ctx: Context,
  parts: { registry?: Registry; journeys?: Journeys; store?: UserStore; sweepEveryMs?: number } = {},
): AutomationConsumer {
  const journeys = parts.journeys ?? connectJourneys(ctx.config);
  const index = createCampaignIndex(ctx);
  const starter = createStarter({ ctx, journeys });
  const deps = { db: ctx.db, log: ctx.log, store: parts.store ?? createUserStore(ctx), journeys };
  const identities = createIdentities(deps);
  const count = createCounter(parts.registry);
  const log = ctx.log.child({ consumer: NAME });
  const sweeping = setInterval(() => {
    starter.sweep().catch((error: unknown) => log.warn({ err: (error as Error).message }, "runs not swept"));
  }, parts.sweepEveryMs ?? SWEEP_EVERY_MS);

  async function handle(batch: StreamBatch<Fences>): Promise<Fences> {
    const { events, rejected } = decodeBatch(batch);
    if (rejected.length > 0) await writeDeadLetters(ctx.db, rejected);
    const { fresh, fences } = takeNew(events, batch.state ?? {}, NAME);
    if (fresh.length > 0) {
      // Not the events' fault where it fails.
      const rules = await index.read(Math.max(...fresh.map((event) => Date.parse(event.received_at))));
      await isolatePoison(fresh, (events) => apply(events, rules), setAside);
    }
    return fences;
  }

  async function setAside(event: EnrichedEvent, error: Error): Promise<void> {
    const { event: _, raw: payload, replay, ...enrichment } = event;
    const { client_id: clientId, event_id: eventId, source } = enrichment;
    const { code, message } = describeError(rootOf(error));
    const reason = code === undefined ? message : `${message} (${code})`;
    log.warn({ source, request_id: event.request_id, err: error }, "dead letter");
    const letter = { clientId, eventId, stage: NAME, reason, payload, source, attempts: 1, enrichment };
    await writeDeadLetters(ctx.db, [{ ...letter, ...(replay && { replay }) }]);
  }

  async function apply(events: readonly EnrichedEvent[], rules: Rules): Promise<void> {
    await identities.adopt(events);
    await upsertContacts(ctx.db, events);
    // Not by this machine's clock: a wrong one would find everybody's cart too old.
    const nowMs = await readRedisTimeMs(ctx.redis).catch(() => Date.now());
    const { stops, tells, entries, refused } = matchEvents(events, rules, nowMs);
    const stopped = await stopRuns(ctx.db, stops, entries);
    starter.stop(stopped);
    const admission = await admitEntries(deps, entries);
    const told = await tellRuns(deps, tells, entries);
    // After the entries: somebody may log in right after they came.
    const endedElsewhere = await identities.follow(events);
    starter.stop(endedElsewhere);
    const over = new Set(endedElsewhere.map((run) => run.run_id));
    starter.start(admission.admitted.filter((run) => !over.has(run.run_id)));
    for (const { reason } of refused) count(reason, 1);
    count("stopped", stopped.length);
    count("told", told);
    count("entered", admission.admitted.length);
    for (const outcome of ["overtaken", "audience", "repeated"] as const) count(outcome, admission[outcome]);
  }

  return {
    stream: ctx.config.LIVORA_STREAM_ENRICHED,
    name: NAME,
    handle,
    countEvents: () => 1,
    maxBatchBytes: MAX_BATCH_BYTES,
    lingerMs: 0,
    exactRanges: false,
    mergeStates: mergeFences,
    // What the enricher had passed on when records were asked for, is handled when they are.
    readTime: () => readWatermark(ctx.redis, "enrich"),
    ...publishWatermark(ctx.redis, NAME, (error) => log.debug({ err: (error as Error).message }, "watermark")),
    async close() {
      clearInterval(sweeping);
      await Promise.all([index.close(), starter.close()]);
      if (parts.journeys === undefined) await journeys.close();
    },
  };
}

/** What cannot be read is put aside, and holds up nobody. */
function decodeBatch({ shard, entries }: StreamBatch<Fences>): { events: EnrichedEvent[]; rejected: DeadLetter[] } {
  const events: EnrichedEvent[] = [];
  const rejected: DeadLetter[] = [];
  for (const entry of entries) {
    try {
      events.push(decodeEnriched(entry.data));
    } catch (error) {
      rejected.push(toUnreadable(shard, entry, error as Error));
    }
  }
  return { events, rejected };
}

/** Where only the event's own bytes are broken, it is known whose it is, and it can be mended. */
function toUnreadable(shard: string, { data, sequence, index }: StreamEntry, { message }: Error): DeadLetter {
  const common = { stage: NAME, reason: `unreadable: ${message}`, attempts: 1 };
  const read = readEnrichment(data);
  if (read === null) {
    return { ...common, clientId: null, eventId: null, payload: data, source: { shard, sequence, index } };
  }
  const { replay, ...enrichment } = read.enrichment;
  const { client_id: clientId, event_id: eventId, source } = enrichment;
  return { ...common, clientId, eventId, payload: read.raw, source, enrichment, ...(replay && { replay }) };
}

function rootOf(error: Error): Error {
  return error.cause instanceof Error ? rootOf(error.cause) : error;
}

function createCounter(registry: Registry | undefined): (outcome: string, times: number) => void {
  const counter = new Counter({
    name: "livora_journey_matches_total",
    help: "What became of events that match a journey",
    labelNames: ["outcome"],
    registers: registry ? [registry] : [],
  });
  return (outcome, times) => {
    if (times > 0) counter.inc({ outcome }, times);
  };
}
