import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { sql } from "drizzle-orm";

import { chunksOf } from "../../core/chunks.ts";
import { HOUR_MS, MINUTE_MS } from "../../core/time.ts";
import type { Logger } from "../logger.ts";
import type { Database } from "../postgres/database.ts";
import { edgeCounts } from "../postgres/schema.ts";
import { createEdgeJournal, type NotedEnvelope } from "./edge-journal.ts";

/** A process that is killed takes with it what it has counted since; its journal has it. */
const FLUSH_MS = 1_000;
/** A request that was received in the hour before may be answered still. */
const FINAL_AFTER_MS = MINUTE_MS;
const ROWS_AT_ONCE = 500;

/** What this process has answered 202 to, by client and hour: what the audit compares the stream with. */
export interface EdgeCounter {
  /** The name of this process, new with each start. */
  readonly edge: string;
  /** Envelopes bear numbers without gaps, so that one that is lost can be named. */
  nextEnvelope(): number;
  /** Answers once what is acknowledged can be named even if this process is killed now: before that nobody is told. */
  acknowledged(request: CountedRequest, envelopes: readonly NotedEnvelope[]): Promise<void> | undefined;
  /** On their way when the request was answered 503: the stream may have them. */
  unsure(request: CountedRequest, events: number): void;
  /** Writes the last of it. */
  stop(): Promise<void>;
}

interface CountedRequest {
  client_id: string;
  /** ISO 8601. */
  received_at: string;
}

interface Count {
  client_id: string;
  hour: string;
  acknowledged: number;
  unsure: number;
  isWritten: boolean;
}

/**
 * Counts in memory and writes the whole count of what has changed once a second: a repeated write changes nothing, and a database
 * that is away is caught up with later. Taking events in never waits for it. Below `root`, the lake's folder, lies the journal.
 */
export function createEdgeCounter(db: Database, root: string, log: Pick<Logger, "warn">): EdgeCounter {
  const edge = randomBytes(6).toString("base64url");
  const journal = createEdgeJournal(root, edge, log);
  const counts = new Map<string, Count>();
  const stopping = new AbortController();
  let envelopes = 0;
  let isTroubled = false;

  function countOf({ client_id, received_at }: CountedRequest): Count {
    const hour = received_at.slice(0, 13);
    const key = `${hour} ${client_id}`;
    let count = counts.get(key);
    if (count === undefined) {
      count = { client_id, hour: `${hour}:00:00.000Z`, acknowledged: 0, unsure: 0, isWritten: false };
      counts.set(key, count);
    }
    count.isWritten = false;
    return count;
  }

  async function flush(isLast: boolean): Promise<void> {
    const nowMs = Date.now();
    const flushed_at = new Date(nowMs).toISOString();
    const isFinal = (hour: string) => isLast || Date.parse(hour) + HOUR_MS + FINAL_AFTER_MS < nowMs;
    const due = [...counts].filter(([, count]) => !count.isWritten || isFinal(count.hour));
    for (const chunk of chunksOf(due, ROWS_AT_ONCE)) {
      const some = chunk.map(([key, count]) => ({ key, count, seen: { ...count } }));
      const rows = some.map(({ seen: { client_id, hour, acknowledged, unsure } }) => ({
        edge,
        client_id,
        hour,
        acknowledged,
        unsure,
        final: isFinal(hour),
        flushed_at,
      }));
      await upsert(db, rows);
      for (const { key, count, seen } of some) {
        count.isWritten = count.acknowledged === seen.acknowledged && count.unsure === seen.unsure;
        if (count.isWritten && isFinal(count.hour)) counts.delete(key);
      }
    }
  }

  async function tryFlush(isLast = false): Promise<void> {
    try {
      await flush(isLast);
      isTroubled = false;
    } catch (error) {
      if (!isTroubled) log.warn({ err: error }, "what was acknowledged could not be counted yet");
      isTroubled = true;
    }
  }

  const running = (async () => {
    while (!stopping.signal.aborted) {
      await sleep(FLUSH_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
      await tryFlush();
    }
  })();

  return {
    edge,
    nextEnvelope: () => ++envelopes,
    acknowledged(request, envelopes) {
      const count = countOf(request);
      for (const { eventIds } of envelopes) count.acknowledged += eventIds.length;
      return journal.note(request.client_id, Date.parse(request.received_at), envelopes);
    },
    unsure(request, events) {
      countOf(request).unsure += events;
    },
    async stop() {
      stopping.abort();
      await running;
      await tryFlush(true);
      journal.close();
    },
  };
}

async function upsert(db: Database, rows: (typeof edgeCounts.$inferInsert)[]): Promise<void> {
  const set = {
    acknowledged: sql`excluded.acknowledged`,
    unsure: sql`excluded.unsure`,
    final: sql`excluded.final`,
    flushed_at: sql`excluded.flushed_at`,
  };
  const target = [edgeCounts.edge, edgeCounts.client_id, edgeCounts.hour];
  await db.insert(edgeCounts).values(rows).onConflictDoUpdate({ target, set });
}
