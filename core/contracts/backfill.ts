import type { Fault } from "../errors.ts";

/** History from a file, as events: page by page, as fast as it may. */
export const BACKFILL_WORKFLOW = "backfillEvents";
export const BACKFILL_TASK_QUEUE = "backfill";

export const BACKFILL_SIGNALS = { pause: "pause", resume: "resume", cancel: "cancel" } as const;
export type BackfillSignal = keyof typeof BACKFILL_SIGNALS;
/** Query: how far it has come. */
export const PROGRESS_QUERY = "progress";

/** Events a second: at the most, and where nothing is said. */
export const MAX_BACKFILL_RATE = 20_000;
export const DEFAULT_BACKFILL_RATE = 2_000;

/** `failed`: nothing, or nothing more, can be made of the file; its `failure` says why. */
export const BACKFILL_ENDS = ["done", "failed", "cancelled"] as const;
export type BackfillEnd = (typeof BACKFILL_ENDS)[number];

/** In records of the file: lines, mostly. */
export interface BackfillCounts {
  read: number;
  /** The stream has acknowledged them; in a dry run, it would be asked to take them. */
  accepted: number;
  rejected: number;
}

export const NO_BACKFILL_COUNTS: BackfillCounts = { read: 0, accepted: 0, rejected: 0 };

/** Why a backfill came to its end before the file did. */
export interface BackfillFailure {
  message: string;
  faults: Fault[];
}

export interface BackfillInput {
  client_id: string;
  backfill_id: string;
  /** Set by continue-as-new. */
  is_paused?: boolean;
  is_prepared?: boolean;
  counts?: BackfillCounts;
}

export interface BackfillProgress {
  state: "running" | "paused" | BackfillEnd;
  counts: BackfillCounts;
  /** It waits for the stream's consumers. */
  is_held_up: boolean;
}

interface OfBackfill {
  client_id: string;
  backfill_id: string;
}

export interface BackfillActivities {
  /** Unpacks and checks the file: what it is known by from then on. Repeated, it finds that done. */
  prepareFile(input: OfBackfill): Promise<{ failure: BackfillFailure | null }>;
  /**
   * Goes on where the backfill stands, for some seconds, and answers all that it has come to. What a page has brought is durable before
   * the next begins. `isHeldUp`: the stream's consumers are behind, and nothing more is put there for now.
   */
  loadPages(
    input: OfBackfill,
  ): Promise<{ counts: BackfillCounts; isDone: boolean; isHeldUp: boolean; failure: BackfillFailure | null }>;
  endBackfill(input: OfBackfill & { state: BackfillEnd; failure: BackfillFailure | null }): Promise<void>;
}

/** An id names one backfill. */
export function backfillWorkflowId(clientId: string, backfillId: string): string {
  return `backfill:${clientId}:${backfillId}`;
}
