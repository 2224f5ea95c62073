import type { ReplayInput, ReplayProgress, ReplaySignal } from "../core/contracts/dead-letter-replay.ts";

/** What replays of dead letters need of Temporal. All throw `unavailable` where it is away. */
export interface ReplayClient {
  /** Asking twice is asking once. */
  start(input: ReplayInput): Promise<void>;
  /** False where it has ended. */
  signal(clientId: string, replayId: string, signal: ReplaySignal): Promise<boolean>;
  /** Null where it has ended long ago, or nobody answers. */
  progress(clientId: string, replayId: string): Promise<ReplayProgress | null>;
}
