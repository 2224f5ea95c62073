import type { ReplayMark } from "../../../core/dead-letter.ts";
import type { Enrichment } from "../../../core/enriched-event.ts";
import type { Event } from "../../../core/event.ts";
import type { Position } from "../../../core/position.ts";
import type { ItemKey } from "../../../platform/user-store.ts";
import type { UserBatch } from "../../../platform/user-store-batch.ts";
import type { SeenBatch } from "./seen/seen-store.ts";

/** An event on its way through the steps, with what they have found out so far. */
export interface Draft {
  clientId: string;
  receivedAt: string;
  receivedAtMs: number;
  requestId: string;
  /** The caller's address, as the edge saw it. */
  ip: string | null;
  event: Event;
  raw: Buffer;
  source: Position;
  /** Where the event was a dead letter before. */
  replay?: ReplayMark;
  /** Where it is history out of a file. */
  backfillId?: string;
  lane: number;
  /** When it happened, by the sender's clock, epoch milliseconds. */
  sentAtMs: number;
  /** Under which time its id is remembered: mostly the same. */
  seenUnderMs: number;
  /** The same, never after it was received: ISO 8601 UTC. */
  at: string;
  found: Pick<Enrichment, "person" | "session" | "geo" | "ua" | "is_bot" | "utm">;
}

/** What became of an event in a step. All but `ok` say why; nothing is left out silently. */
export type StepResult = { outcome: "ok" } | { outcome: "drop" | "dead_letter"; reason: string };
export const OK: StepResult = { outcome: "ok" };

/** What the events of one batch share. */
export interface Unit {
  items: UserBatch;
  seen: SeenBatch;
}

/** Items that a step reads or changes for an event. */
export type Need = (draft: Draft, unit: Unit) => ItemKey[];

/**
 * One thing that is found out about each event. What a step needs is fetched for a whole batch at once, and may fail as a
 * whole (a store is away: the batch waits); `run` then decides for one event, without waiting for anything, and what it
 * throws is that event's own fault.
 */
export interface Step {
  readonly name: string;
  prepare?(drafts: readonly Draft[], unit: Unit): Promise<void>;
  /** One after the other, where a later one follows from what an earlier one has brought. */
  needs?: readonly Need[];
  run(draft: Draft, unit: Unit): StepResult;
}
