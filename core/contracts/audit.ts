/** The audit: that every acknowledged event came to rest, once, and every message too. Runs on a Schedule, one at a time. */
export const AUDIT_WORKFLOW = "auditHours";
export const AUDIT_TASK_QUEUE = "audit";
export const AUDIT_SCHEDULE_ID = "audit";
export const AUDIT_WORKFLOW_ID = "audit";

/** The stream consumer that writes receipts; its leases and its watermark bear this name. */
export const RECEIPTS_CONSUMER = "receipts";

/**
 * `ok`: all of the hour is settled, and nothing is unexplained. `open`: the same of what is settled so far. `difference`:
 * something is unexplained. `unknown`: it could not be established; the notes say why.
 */
export type AuditVerdict = "ok" | "open" | "difference" | "unknown";

/** What can be wrong with events. */
export type EventDifferenceKind =
  /** Acknowledged by the edge, and the stream has no receipt of it. */
  | "lost_in_stream"
  /** The stream has more than all edges together can have put there. */
  | "never_acknowledged"
  /** On the stream, settled, and neither in the lake nor explained. */
  | "missing"
  /** In the lake or explained, and the stream has no receipt of it. */
  | "unreceived"
  /** In the lake more than once under one place. */
  | "twice_in_lake"
  /** One event id under several places of the lake. */
  | "id_twice_in_lake"
  /** In the lake and explained away, or explained twice. */
  | "several_outcomes"
  /** What lies under the place has another id, or another client. */
  | "id_differs"
  /** Dropped as a duplicate of something that is nowhere. */
  | "unproven_drop"
  /** The lake's book names a file that is not there. */
  | "file_gone";

/** What can be wrong with messages. */
export type DeliveryDifferenceKind =
  /** Not sent, and nobody says why. */
  | "no_reason"
  /** Two messages under one id of the provider. */
  | "message_id_twice"
  /** Two rows for the same message of the same run. */
  | "run_node_twice"
  /** The row's id is not that of its run and node, or its run is another client's or campaign's. */
  | "foreign"
  /** The state is not what the history says. */
  | "state_differs"
  /** One thing that happened to a message stands twice with its reader, or not at all. */
  | "effect_twice"
  | "effect_missing"
  /** A run has come to the end of its journey without a message that no way leads past. */
  | "message_missing"
  /** A run has ended before that, and nobody says why. */
  | "run_without_reason"
  /** Sent, says the ledger, and its provider does not have it. */
  | "absent_at_provider"
  /** Its provider has it, and the ledger nothing that it could be. */
  | "unknown_to_ledger"
  /** Its provider has it once more than the ledger. */
  | "sent_twice";

export interface Difference {
  client_id: string;
  kind: EventDifferenceKind | DeliveryDifferenceKind;
  /** How many events or messages it is about. */
  count: number;
  event_id: string | null;
  delivery_id: string | null;
  /** `shard sequence index`, in the stream "events". */
  place: string | null;
  /** Where it was last seen, for people. */
  last_seen: string;
}

/** A message that is still open after so long that somebody should look; not a difference. */
export interface StaleDelivery {
  client_id: string;
  delivery_id: string;
  state: string;
  reason: string | null;
  since: string;
}

export interface AuditDetails {
  /** The first of them, at most 100. */
  differences: Difference[];
  stale: StaleDelivery[];
  /** What keeps the audit from being sharper, for people. */
  notes: string[];
}

/** One client and hour. `client_id` is empty for what names no client. */
export interface AuditedHour {
  client_id: string;
  /** Its beginning, ISO 8601 UTC. */
  hour: string;
  verdict: AuditVerdict;
  settled_at: string;
  /** 202 by the edges, as far as they have counted. */
  acknowledged: number;
  /** Places in the stream "events", also of what Livora itself puts there and of repetitions. */
  received: number;
  in_lake: number;
  dropped: number;
  dead_letters: number;
  in_flight: number;
  unexplained: number;
  deliveries: number;
  unexplained_deliveries: number;
  details: AuditDetails;
}

export interface AuditInput {
  /** Set by hand: hours from this one to that one, ISO 8601. Else those that are not known to be well. */
  from?: string;
  to?: string;
  /** Set by continue-as-new: what has been found so far. */
  summary?: AuditSummary;
}

export interface AuditSummary {
  /** Those of each client. */
  hours: number;
  /** Hours in which something is wrong: events, messages, or a file. */
  differing: number;
  unexplained: number;
  unexplained_deliveries: number;
  /** Hours for which it could not be established. */
  unknown: number;
}

export interface AuditActivities {
  /** Hours to look at, oldest first, ISO 8601. */
  planAudit(input: AuditInput): Promise<string[]>;
  auditHour(input: { hour: string }): Promise<AuditSummary>;
  /** Removes receipts and audits beyond their time. */
  sweepAudit(): Promise<number>;
}
