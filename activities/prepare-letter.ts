import { mendLetter } from "../core/dead-letter-event.ts";
import type { Event } from "../core/event.ts";
import type { Patch } from "../core/patch.ts";
import type { LetterChange, LetterRow, ReplayRow } from "../platform/dead-letter-replay.ts";

/** What of a letter goes back. */
interface Ready {
  raw: Buffer;
  event: Event;
  /** What to write down, once it is there. */
  tell(where: string): LetterChange["event"];
}

/** The letter's event as the replay's patch makes it, or why it stays open: it would only fail again. */
export function prepareLetter(letter: LetterRow, replay: ReplayRow): { ready: Ready } | { refused: LetterChange } {
  const mended = mendLetter({ ...letter, client_id: replay.client_id }, replay.patch as Patch | null);
  const [fault] = mended.faults;
  const { changed } = mended;
  if (mended.ready === null) {
    const why = `${fault?.path || "the event"} ${fault?.reason ?? "is not valid"}`;
    return { refused: refuseLetter(letter, replay, why) };
  }
  const how = changed.length === 0 ? "as it was" : "patched";
  const tell = (where: string) => ({
    reason: `put back ${how}, ${where}`,
    ...askedBy(replay),
    ...(changed.length > 0 && { changed }),
  });
  return { ready: { ...mended.ready, tell } };
}

export function refuseLetter({ id }: Pick<LetterRow, "id">, replay: ReplayRow, why: string): LetterChange {
  return { id, state: "open", event: { reason: `not replayed: ${why}`, ...askedBy(replay) } };
}

function askedBy(replay: ReplayRow) {
  return { actor: replay.actor, replay_id: replay.id };
}
