import type { EnrichedEvent } from "../../core/enriched-event.ts";
import { advanceFence, type Fences, isAfterFence } from "../../core/fence.ts";

type Placed = Pick<EnrichedEvent, "lane" | "source" | "replay">;

/**
 * What of a batch of enriched events is new. A crash of the enricher makes it put events on the stream again; order in a lane
 * is kept, so whatever does not come after the last one of its lane has been seen. A dead letter that is put back under its
 * old place is for the consumer that it names, and moves no fence.
 */
export function takeNew<T extends Placed>(
  events: readonly T[],
  before: Fences,
  consumer: string,
): { fresh: T[]; fences: Fences } {
  let fences = before;
  const fresh = events.filter(({ lane, source, replay }) => {
    if (replay !== undefined) return replay.stage === consumer;
    if (!isAfterFence(fences, lane, source)) return false;
    fences = advanceFence(fences, lane, source);
    return true;
  });
  return { fresh, fences };
}
