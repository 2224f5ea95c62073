import { chunksOf } from "../core/chunks.ts";
import { kindOf, type Provenance, readEventType, type ReplayMark } from "../core/dead-letter.ts";
import type { Enrichment } from "../core/enriched-event.ts";
import type { Position } from "../core/position.ts";
import { uuidOf } from "../core/uuid.ts";
import type { Database } from "./postgres/database.ts";
import { deadLetters, droppedEvents } from "./postgres/schema.ts";

/** An event that could not be processed: kept whole, with where and why. */
export interface DeadLetter {
  clientId: string | null;
  eventId: string | null;
  stage: string;
  /** One line for people; never the payload itself. */
  reason: string;
  payload: Buffer;
  source: Position;
  attempts: number;
  provenance?: Provenance;
  /** Where the event had been enriched. */
  enrichment?: Enrichment;
  /** Where it was a dead letter before: this one names that one. */
  replay?: ReplayMark;
}

/** An event that was left out on purpose. */
export interface DroppedEvent {
  clientId: string;
  eventId: string;
  stage: string;
  reason: string;
  source: Position;
  /** ISO 8601. */
  receivedAt: string;
}

const ROWS_PER_STATEMENT = 500;
const LONGEST_REASON = 300;

/** The same place and stage is one row, however often it is written; so are a letter and the replay it failed in. */
export async function writeDeadLetters(db: Database, letters: readonly DeadLetter[]): Promise<void> {
  const at = new Date().toISOString();
  for (const rows of chunksOf(letters, ROWS_PER_STATEMENT)) {
    const values = rows.map(({ source, stage, replay, ...letter }) => {
      const reason = storable(letter.reason).slice(0, LONGEST_REASON);
      return {
        id: replay
          ? uuidOf("replayed", replay.letter_id, replay.replay_id)
          : uuidOf(stage, source.shard, source.sequence, String(source.index)),
        client_id: letter.clientId === null ? null : storable(letter.clientId),
        event_id: letter.eventId === null ? null : storable(letter.eventId),
        stage,
        reason,
        payload: letter.payload,
        source_shard: source.shard,
        source_sequence: source.sequence,
        source_index: source.index,
        attempts: letter.attempts,
        kind: kindOf(reason),
        event_type: letter.enrichment?.event_type ?? readEventType(letter.payload),
        provenance: storableJson(letter.provenance),
        enrichment: storableJson(letter.enrichment),
        replay_of: replay?.letter_id,
        history: [{ at, reason }],
      };
    });
    await db.insert(deadLetters).values(values).onConflictDoNothing();
  }
}

export async function writeDrops(db: Database, drops: readonly DroppedEvent[]): Promise<void> {
  for (const rows of chunksOf(drops, ROWS_PER_STATEMENT)) {
    const values = rows.map(({ source, ...drop }) => ({
      source_shard: source.shard,
      source_sequence: source.sequence,
      source_index: source.index,
      client_id: storable(drop.clientId),
      event_id: storable(drop.eventId),
      stage: drop.stage,
      reason: drop.reason,
      received_at: drop.receivedAt,
    }));
    await db.insert(droppedEvents).values(values).onConflictDoNothing();
  }
}

/** A value without what PostgreSQL's text cannot hold. */
export function storableJson<T>(value: T): T {
  if (value === undefined) return value;
  return JSON.parse(
    JSON.stringify(value, (_, item: unknown) => (typeof item === "string" ? storable(item) : item)),
  ) as T;
}

/** PostgreSQL's text holds any character but U+0000. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}
