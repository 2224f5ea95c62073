import type { ReEntry } from "../core/dead-letter.ts";
import { encodeEnriched, type Enrichment } from "../core/enriched-event.ts";
import { encodeEnvelope } from "../core/envelope.ts";
import { type Event, partitionKeyOf } from "../core/event.ts";
import { laneOf, type Position } from "../core/position.ts";
import type { LetterChange, LetterRow, ReplayRow } from "../platform/dead-letter-replay.ts";
import type { StreamProducer } from "../platform/stream/types.ts";
import { prepareLetter, refuseLetter } from "./prepare-letter.ts";

export interface LetterStreams {
  events: Pick<StreamProducer, "append">;
  enriched: Pick<StreamProducer, "append">;
}

/**
 * Puts a letter's event, patched, on the stream of the stage where it failed, and says what to write down of it. One whose
 * event would only fail again stays open. Throws where the stream does not take it.
 */
export async function putLetter(
  streams: LetterStreams,
  { stream }: ReEntry,
  letter: LetterRow,
  replay: ReplayRow,
): Promise<LetterChange> {
  const { id, enrichment } = letter;
  if (stream === "enriched" && enrichment === null)
    return refuseLetter(letter, replay, "what was found out about it was not kept");
  const prepared = prepareLetter(letter, replay);
  if ("refused" in prepared) return prepared.refused;
  const { raw, event, tell } = prepared.ready;
  const place =
    enrichment === null
      ? await putEvent(streams, letter, replay, event, raw)
      : await putEnriched(streams, letter, replay, enrichment, raw);
  return { id, place, event: tell(`at ${place.shard} ${place.sequence} ${place.index}`) };
}

/** In its session's lane, under the time and address it first came with. */
function putEvent(
  { events }: LetterStreams,
  { id, provenance, created_at }: LetterRow,
  replay: ReplayRow,
  event: Event,
  raw: Buffer,
): Promise<Position> {
  const header = {
    client_id: replay.client_id,
    received_at: provenance?.received_at ?? new Date(created_at).toISOString(),
    request_id: provenance?.request_id ?? replay.request_id,
    ...(provenance?.ip && { ip: provenance.ip }),
    ...(provenance?.backfill_id && { backfill_id: provenance.backfill_id }),
    ...(provenance?.seen_under && { seen_under: provenance.seen_under }),
    replay: { letter_id: id, replay_id: replay.id },
  };
  return events.append(laneOf(partitionKeyOf(event)), encodeEnvelope(header, [raw]), 1);
}

/** With what was found out about it then: it has its place in the stream "events", and in the user store. */
function putEnriched(
  { enriched }: LetterStreams,
  { id, stage }: LetterRow,
  replay: ReplayRow,
  enrichment: Enrichment,
  raw: Buffer,
): Promise<Position> {
  const marked = { ...enrichment, replay: { letter_id: id, replay_id: replay.id, stage } };
  return enriched.append(enrichment.lane, encodeEnriched(marked, raw), 1);
}
