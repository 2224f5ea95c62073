import type { SessionSummary } from "./enriched-event.ts";

/** A visit: what shares a `session_id`. When it ends is told by the next event having another one. */
export interface Session {
  session_id: string;
  /** Who it belongs to, as far as is known by now. */
  person_key: string;
  started_at: string;
  /** Of its latest event so far. */
  ended_at: string;
  duration_ms: number;
  /** How many events it has. */
  steps: number;
  landing_page: string | null;
  /** Campaign source or referring site; null where the visitor came by themselves. */
  source: string | null;
  is_bot: boolean;
}

export interface SessionStep {
  session_id: string;
  person_key: string;
  /** ISO 8601 UTC, milliseconds. */
  at: string;
  page: string | null;
  source: string | null;
  is_bot: boolean;
}

/** How long a session is kept after its latest event. */
export const SESSION_TTL_DAYS = 90;

/** A session with one more event. Events may come late: the start is the earliest, and what it says counts. */
export function addToSession(before: Session | undefined, step: SessionStep): Session {
  if (!before) return startSession(step);
  const isEarliest = step.at < before.started_at;
  const started_at = isEarliest ? step.at : before.started_at;
  const ended_at = step.at > before.ended_at ? step.at : before.ended_at;
  return {
    session_id: before.session_id,
    person_key: step.person_key,
    started_at,
    ended_at,
    duration_ms: Date.parse(ended_at) - Date.parse(started_at),
    steps: before.steps + 1,
    landing_page: (isEarliest ? (step.page ?? before.landing_page) : (before.landing_page ?? step.page)) ?? null,
    source: (isEarliest ? (step.source ?? before.source) : (before.source ?? step.source)) ?? null,
    is_bot: before.is_bot || step.is_bot,
  };
}

export function summarizeSession(session: Session): SessionSummary {
  const { started_at, landing_page, source } = session;
  return { started_at, landing_page, source };
}

function startSession({ session_id, person_key, at, page, source, is_bot }: SessionStep): Session {
  return {
    session_id,
    person_key,
    started_at: at,
    ended_at: at,
    duration_ms: 0,
    steps: 1,
    landing_page: page,
    source,
    is_bot,
  };
}
