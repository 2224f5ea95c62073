import type { RunState } from "../journey/reducer.ts";
import type { JourneyDefinition } from "../journey/definition.ts";
import type { Channel } from "../message.ts";

/** The journey workflow: one execution for each person, journey and key. Nothing personal goes into ids or memos. */
export const JOURNEY_WORKFLOW = "journey";
export const JOURNEY_TASK_QUEUE = "journeys";

export interface JourneyInput {
  client_id: string;
  campaign_id: string;
  version: number;
  /** SHA-256 of the definition; a mismatch fails the run rather than running something else. */
  definition_hash: string;
  /** Row in `journey_runs`. */
  run_id: string;
  entry: JourneyEntry;
  /** Correlates HTTP request, event, run and message. */
  request_id: string;
  /** Set by continue-as-new: where the run stands. */
  state?: RunState;
}

export interface JourneyEntry {
  event_id: string;
  event_type: string;
  /** ISO 8601 UTC: delays count from here. */
  at: string;
  key: string;
}

/** An event that a run under way may care about, reduced to what conditions can ask for. */
export interface RunEvent {
  event_id: string;
  event_type: string;
  at: string;
  props: Record<string, unknown>;
}

/**
 * Signals. A workflow id is used again when a person enters again, so each signal names the run that it is for; others
 * ignore it. `stop` has already been recorded in `journey_runs` when it is sent: it only wakes the run.
 */
export const SIGNALS = { events: "events", stop: "stop", resume: "resume" } as const;

export interface EventsSignal {
  run_id: string;
  events: RunEvent[];
}

export interface StopSignal {
  run_id: string;
  reason: string;
  event_id: string | null;
}

export interface ResumeSignal {
  run_id: string;
}

/** Query: where a run stands and why. */
export const WHERE_QUERY = "where";
export interface RunStatus {
  node_id: string;
  node_type: string;
  /** In words: "waiting until 2026-11-21T10:30:00Z for 30 minutes since add_to_cart". */
  why: string;
  waiting_until: string | null;
  state: RunState;
}

export interface SendRequest {
  client_id: string;
  campaign_id: string;
  version: number;
  run_id: string;
  node_id: string;
  channel: Channel;
  template: string;
  /** When the journey decided that this message is due: everything acknowledged before must have been considered. */
  decided_at: string;
  request_id: string;
}

/**
 * What became of a message. `held`: the campaign is paused, wait for `resume`. `limited`: try again at `retry_at`.
 * `stopped`: the run may no longer send. All but `submitted` carry the reason.
 */
export type SendOutcome =
  | { outcome: "submitted"; delivery_id: string }
  | { outcome: "skipped" | "failed" | "unknown"; delivery_id: string; reason: string }
  | { outcome: "stopped" | "held"; reason: string }
  | { outcome: "limited"; reason: string; retry_at: string };

/** What a branch may ask about a person: profile traits and attributes, and when they last did what. */
export interface PersonFacts {
  attributes: Record<string, unknown>;
  last_seen_at: string | null;
  /** Event type → ISO time of the latest. */
  last_event_at: Record<string, string>;
  /** The latest purchase, where it is known which event that was. No condition asks it: it is for whoever explains a run. */
  last_purchase_id?: string;
  /** Of the entry event's props those that were asked for, by path; those that are not there are left out. */
  entry?: Record<string, unknown>;
}

export interface RunEnd {
  client_id: string;
  run_id: string;
  state: "completed" | "stopped" | "failed";
  reason: string;
  node_id: string;
}

export interface JourneyActivities {
  loadDefinition(input: { client_id: string; campaign_id: string; version: number }): Promise<{
    hash: string;
    definition: JourneyDefinition;
  }>;
  sendMessage(request: SendRequest): Promise<SendOutcome>;
  /** `entry_paths`: what is to be told of the entry event's props. Only what is asked for becomes part of a history. */
  readPerson(input: { client_id: string; run_id: string; entry_paths?: string[] }): Promise<PersonFacts>;
  endRun(end: RunEnd): Promise<void>;
}

/** Search attributes (all Keyword), set at the start and the end of a run. */
export const SEARCH_ATTRIBUTES = {
  client: "LivoraClient",
  campaign: "LivoraCampaign",
  version: "LivoraVersion",
  outcome: "LivoraOutcome",
} as const;
