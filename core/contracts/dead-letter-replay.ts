/** Puts dead letters back to where they failed, page by page, and sees what becomes of each. */
export const REPLAY_WORKFLOW = "replayDeadLetters";
export const DEAD_LETTERS_TASK_QUEUE = "dead-letters";

export const REPLAY_SIGNALS = { pause: "pause", resume: "resume", cancel: "cancel" } as const;
export type ReplaySignal = keyof typeof REPLAY_SIGNALS;
/** Query: how far it has come. */
export const PROGRESS_QUERY = "progress";

/** Letters a second, at the most. */
export const MAX_REPLAY_RATE = 1_000;

/** By what became of each letter. `refused`: what the patch made of it is no event, so it stays open. */
export interface ReplayCounts {
  taken: number;
  duplicate: number;
  failed_again: number;
  refused: number;
}

export const NO_REPLAY_COUNTS: ReplayCounts = { taken: 0, duplicate: 0, failed_again: 0, refused: 0 };

export interface ReplayInput {
  client_id: string;
  replay_id: string;
  rate_per_second: number;
  /** Set by continue-as-new. */
  counts?: ReplayCounts;
  after?: string;
  is_paused?: boolean;
}

export interface ReplayProgress {
  state: "running" | "paused" | "done" | "cancelled";
  counts: ReplayCounts;
}

interface ReplayPage {
  client_id: string;
  replay_id: string;
}

export interface DeadLetterReplayActivities {
  /**
   * Takes up to `limit` of the replay's letters that nobody has taken yet, oldest first, and puts them back on their stream.
   * Answers their ids, none where there are no more, and with what to ask for the next. Tried again it goes on with those
   * it had taken.
   */
  putLetters(input: ReplayPage & { limit: number; after?: string }): Promise<{ ids: string[]; after?: string }>;
  /** Waits until the consumer has passed them, and writes down what became of each. */
  settleLetters(input: ReplayPage & { ids: string[] }): Promise<ReplayCounts>;
  endReplay(input: ReplayPage & { state: "done" | "cancelled"; counts: ReplayCounts }): Promise<void>;
}

/** An id names one replay, however often it is asked for. */
export function replayWorkflowId(clientId: string, replayId: string): string {
  return `dead-letters:${clientId}:${replayId}`;
}
