import { sql } from "drizzle-orm";
import { index, integer, jsonb, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";

import type { LetterEvent, LetterKind, LetterOutcome, LetterState, Provenance } from "../../../core/dead-letter.ts";
import type { Enrichment } from "../../../core/enriched-event.ts";
import type { Position } from "../../../core/position.ts";
import { clientId } from "./client-id.ts";
import { bytea, at } from "./columns.ts";

/** Events that could not be processed: kept whole, with where and why, until someone replays or discards them. */
export const deadLetters = pgTable(
  "dead_letters",
  {
    /** UUIDv5 of stage and source position. */
    id: uuid().primaryKey(),
    /** Null where the client itself could not be read. No foreign key: a dead letter must always find a place. */
    client_id: text(),
    stage: text().notNull(),
    reason: text().notNull(),
    event_id: text(),
    payload: bytea().notNull(),
    source_shard: text().notNull(),
    source_sequence: text().notNull(),
    source_index: integer().notNull(),
    attempts: integer().notNull(),
    /** Whether the event is wrong or something was away: `kindOf`, when the letter was written. */
    kind: text().notNull().$type<LetterKind>().default("poison"),
    event_type: text(),
    provenance: jsonb().$type<Provenance>(),
    /** Of an event that failed after it had been enriched: what it takes to go back to where it failed. */
    enrichment: jsonb().$type<Enrichment>(),
    history: jsonb().$type<LetterEvent[]>().notNull().default([]),
    state: text().notNull().$type<LetterState>().default("open"),
    outcome: text().$type<LetterOutcome>(),
    /** The letter whose replay failed and became this one. */
    replay_of: uuid(),
    /** The last replay that took it up, and where that put it. */
    replay_id: uuid(),
    replay_place: jsonb().$type<Position>(),
    created_at: at("created_at").notNull().defaultNow(),
  },
  (table) => [
    index("dead_letters_open").on(table.client_id, table.stage, table.created_at),
    index("dead_letters_state").on(table.client_id, table.state, table.created_at),
    index("dead_letters_replay")
      .on(table.replay_id)
      .where(sql`replay_id is not null`),
    index("dead_letters_replay_of")
      .on(table.replay_of)
      .where(sql`replay_of is not null`),
  ],
);

/** One row for each replay that somebody asked for: which letters, what was changed in them, and what became of it. */
export const deadLetterReplays = pgTable(
  "dead_letter_replays",
  {
    /** Also part of the workflow's id: asking twice under one id is asking once. */
    id: uuid().primaryKey(),
    client_id: clientId(),
    /** Which letters, as it was asked. */
    selection: jsonb().notNull(),
    patch: jsonb(),
    rate_per_second: integer().notNull(),
    note: text(),
    actor: text().notNull(),
    request_id: text().notNull(),
    state: text().notNull().$type<"running" | "done" | "cancelled">().default("running"),
    /** Written when it ends; its workflow tells until then. */
    counts: jsonb().$type<Record<string, number>>(),
    created_at: at("created_at").notNull().defaultNow(),
    ended_at: at("ended_at"),
  },
  (table) => [index("dead_letter_replays_client").on(table.client_id, table.created_at)],
);

/** Events that were left out on purpose (duplicates above all): one row each, so that nothing vanishes unexplained. */
export const droppedEvents = pgTable(
  "dropped_events",
  {
    source_sequence: text().notNull(),
    source_index: integer().notNull(),
    source_shard: text().notNull(),
    client_id: text().notNull(),
    event_id: text().notNull(),
    stage: text().notNull(),
    reason: text().notNull(),
    received_at: at("received_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.source_sequence, table.source_index, table.source_shard] }),
    index("dropped_events_client").on(table.client_id, table.received_at),
  ],
);
