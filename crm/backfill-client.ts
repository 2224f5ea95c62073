import type { BackfillInput, BackfillProgress, BackfillSignal } from "../core/contracts/backfill.ts";

/** What backfills need of Temporal. All throw `unavailable` where it is away. */
export interface BackfillClient {
  /** Asking twice is asking once. */
  start(input: BackfillInput): Promise<void>;
  /** False where it has ended. */
  signal(clientId: string, backfillId: string, signal: BackfillSignal): Promise<boolean>;
  /** Null where it has ended long ago, or nobody answers. */
  progress(clientId: string, backfillId: string): Promise<BackfillProgress | null>;
}
