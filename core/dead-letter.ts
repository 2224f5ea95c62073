/**
 * `open` waits for somebody; `replaying` is under way; `replayed` went back (its `outcome` says what became of it);
 * `discarded` was given up, with a reason. No letter is ever deleted.
 */
export const LETTER_STATES = ["open", "replaying", "replayed", "discarded"] as const;
export type LetterState = (typeof LETTER_STATES)[number];

/** `poison`: the event itself is wrong and fails again until it is patched. `outage`: what it needed was away. */
export const LETTER_KINDS = ["poison", "outage"] as const;
export type LetterKind = (typeof LETTER_KINDS)[number];

/**
 * What became of a replayed letter. `taken`: it came through. `duplicate`: an event with its id had come through before.
 * `failed_again`: it is back, as a dead letter that names this one in `replay_of`.
 */
export const LETTER_OUTCOMES = ["taken", "duplicate", "failed_again"] as const;
export type LetterOutcome = (typeof LETTER_OUTCOMES)[number];

/** One thing that happened to a letter, for people to read. */
export interface LetterEvent {
  /** ISO 8601 UTC. */
  at: string;
  /** In words; never what the event holds. */
  reason: string;
  /** Who asked for it: the API key's `key:<prefix>`. */
  actor?: string;
  replay_id?: string;
  /** JSON pointers of what a patch changed. */
  changed?: string[];
}

/** How an event came to us, as the envelope told it: kept so that a replay tells the same. */
export interface Provenance {
  received_at: string;
  request_id: string;
  ip?: string;
  /** Of history out of a file: replayed, it is history still. */
  backfill_id?: string;
  /** Under which time its id is to be remembered, where that is not its own. */
  seen_under?: string;
}

/** Travels with a replayed event, so that failing again leads back to its letter, however often it was put on the stream. */
export interface ReplayMark {
  letter_id: string;
  replay_id: string;
}

/** A way back by a stream: the consumer that takes the letter's event from it. */
export interface ReEntry {
  stream: "events" | "enriched";
  consumer: string;
}

/**
 * Where letters of a stage go back. What failed before it had been enriched begins anew; what failed in the journeys is for
 * that consumer alone; what the lake could not write is written into the lake itself (ADR 16). Null where there is no way:
 * a letter of the live counters has no line that says whose event it is.
 */
export function reEntryOf(stage: string): ReEntry | "lake" | null {
  if (stage === "lake") return "lake";
  if (stage === "counters") return null;
  if (stage === "automation") return { stream: "enriched", consumer: stage };
  return { stream: "events", consumer: "enrich" };
}

/** Names and codes of what passes by itself, wherever they stand in a reason: ours, Node's, PostgreSQL's, AWS's, gRPC's. */
const PASSING = new RegExp(
  [
    String.raw`\b(unavailable|limited|UNAVAILABLE|DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED)\b`,
    String.raw`\bE(CONNREFUSED|CONNRESET|CONNABORTED|PIPE|TIMEDOUT|AI_AGAIN|HOSTUNREACH|NETUNREACH|NOTFOUND|NOSPC|IO|ROFS|MFILE)\b`,
    String.raw`\b(CONNECTION_(CLOSED|ENDED|DESTROYED)|CONNECT_TIMEOUT)\b`,
    // SQLSTATE: connection, resources, operator intervention, rollback, lock, read-only.
    String.raw`\b(08\w{3}|53\w{3}|57P\w{2}|57014|40\w{3}|55P03|25006)\b`,
    String.raw`\b(Throttling\w*|ProvisionedThroughputExceeded\w*|RequestLimitExceeded|InternalServerError|InternalFailure|ServiceUnavailable\w*|LimitExceeded\w*|RetriesExhausted|TimeoutError|AbortError)\b`,
  ].join("|"),
);

/**
 * The rule that tells poison from outage: a reason that names something that passes by itself is an outage, everything else
 * is the event's own fault. A wrong `outage` costs a replay that fails again; a wrong `poison` would keep people from
 * replaying as it is what only came at a bad time, so the names are many. Reasons are one line (300 characters at the most).
 */
export function kindOf(reason: string): LetterKind {
  return findPassing(reason) === null ? "poison" : "outage";
}

function findPassing(reason: string): string | null {
  return PASSING.exec(reason)?.[0] ?? null;
}

/** Why letters that share a reason are of their kind, and what to do, for people. `cameBack`: how many had been replayed before. */
export function explainKind({ reason, cameBack }: { reason: string; cameBack: number }): string {
  const passing = findPassing(reason);
  if (passing === null) return "The reason names nothing that passes by itself: patch the event, then replay it.";
  const once = `${passing} passes by itself: replay it as it is once that is over.`;
  return cameBack === 0 ? once : `${once} ${cameBack} came back from a replay: if it is over, something else is wrong.`;
}

const MAX_TYPE_LENGTH = 128;

/** The event's type as far as it can be read, for searching: of an event's bytes, or of an enriched event's. */
export function readEventType(payload: Buffer): string | null {
  const newline = payload.indexOf("\n");
  for (const end of [payload.length, newline]) {
    if (end < 0) continue;
    try {
      const type = (JSON.parse(payload.toString("utf8", 0, end)) as { event_type?: unknown } | null)?.event_type;
      return typeof type === "string" ? type.slice(0, MAX_TYPE_LENGTH).toWellFormed().replaceAll("\0", "\uFFFD") : null;
    } catch {
      // Not JSON as a whole: an enriched event has a line of it before the event.
    }
  }
  return null;
}
