/**
 * The oracle: what was offered to `POST /v1/events` and what was answered, kept outside the system. Whatever the system
 * says of itself afterwards is compared with this and with nothing else.
 */

/** `ok`: 202. `refused`: nothing was taken. `unknown`: no answer, or one that leaves open what became of the events. */
export type Verdict = "ok" | "refused" | "unknown";

export interface OfferedEvent {
  event_id: string;
  session_id: string;
  event_type: string;
  /** The event as it was sent, byte by byte. */
  text: string;
}

export interface LedgerEntry extends OfferedEvent {
  /** Epoch ms: the first offer, and the first `ok`. */
  offeredAt: number;
  acknowledgedAt: number | null;
  /** How often it was offered, and how often each answer came. */
  offers: number;
  answers: Record<Verdict, number>;
  /** Its place in the order of first acknowledgements within its session; null until then. */
  turn: number | null;
}

export interface Ledger {
  /** Before the request is sent. */
  offer(events: readonly OfferedEvent[], at: number): void;
  /** After the answer came, or failed to. */
  answer(eventIds: readonly string[], verdict: Verdict, at: number): void;
  entry(eventId: string): LedgerEntry | undefined;
  entries(): LedgerEntry[];
}

export function createLedger(): Ledger {
  const entries = new Map<string, LedgerEntry>();
  const turns = new Map<string, number>();

  function acknowledge(entry: LedgerEntry, at: number): void {
    if (entry.acknowledgedAt !== null) return;
    const turn = turns.get(entry.session_id) ?? 0;
    turns.set(entry.session_id, turn + 1);
    entry.acknowledgedAt = at;
    entry.turn = turn;
  }

  return {
    offer(events, at) {
      for (const event of events) {
        const known = entries.get(event.event_id);
        if (known && known.text !== event.text)
          throw new Error(`${event.event_id} was offered before with another text`);
        if (known) known.offers++;
        else entries.set(event.event_id, openEntry(event, at));
      }
    },
    answer(eventIds, verdict, at) {
      for (const id of eventIds) {
        const entry = entries.get(id);
        if (!entry) throw new Error(`an answer for ${id}, which was never offered`);
        entry.answers[verdict]++;
        if (verdict === "ok") acknowledge(entry, at);
      }
    },
    entry: (eventId) => entries.get(eventId),
    entries: () => [...entries.values()],
  };
}

function openEntry(event: OfferedEvent, at: number): LedgerEntry {
  const answers = { ok: 0, refused: 0, unknown: 0 };
  return { ...event, offeredAt: at, acknowledgedAt: null, offers: 1, answers, turn: null };
}
