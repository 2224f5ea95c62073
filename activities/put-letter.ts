import { type ReEntry, reEntryOf } from "../core/dead-letter.ts";
import { encodeEnriched, type Enrichment } from "../core/enriched-event.ts";
import { encodeEnvelope } from "../core/envelope.ts";
import { type Event, partitionKeyOf } from "../core/event.ts";
import { laneOf, type Position } from "../core/position.ts";
import type { LetterChange, LetterRow, ReplayRow } from "../platform/dead-letter-replay.ts";
import type { StreamProducer } from "../platform/stream/types.ts";
import { prepareLetter, refuseLetter, toldOf } from "./prepare-letter.ts";

export interface LetterStreams {
  events: Pick<StreamProducer, "append">;
  enriched: Pick<StreamProducer, "append">;
}

/**
 * Puts a letter's event, patched, on the stream of the stage where it failed, and says what to write down of it. One whose
 * event would only fail again stays open. Throws where the stream does not take it.
 */
export async function putLetter(streams: LetterStreams, letter: LetterRow, replay: ReplayRow): Promise<LetterChange> {
  const entry = reEntryOf(letter.stage) as ReEntry | null;
  if (entry === null) return refuseLetter(letter, replay, "letters of this stage have no way back");
  const prepared = prepareLetter(letter, replay);
  if ("change" in prepared) return prepared.change;
  const { enrichment, raw, event } = prepared;
  const place =
    entry.stream === "events"
      ? await putEvent(streams, letter, replay, event, raw)
      : await putEnriched(streams, letter, replay, enrichment, raw);
}
