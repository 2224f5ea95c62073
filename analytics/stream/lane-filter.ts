import type { EnrichedEvent } from "../../core/enriched-event.ts";
import { advanceFence, type Fences, isAfterFence } from "../../core/fence.ts";

/**
 * What of a batch of enriched events is new. A crash of the enricher makes it put events on the stream again; order in a lane
 * is kept, so whatever does not come after the last one of its lane has been seen.
 */
export function takeNew<T extends Pick<EnrichedEvent, "lane" | "source">>(
  events: readonly T[],
  before: Fences,
): { fresh: T[]; fences: Fences } {
  let fences = before;
  const fresh = events.filter(({ lane, source }) => {
    if (!isAfterFence(fences, lane, source)) return false;
    fences = advanceFence(fences, lane, source);
    return true;
  });
  return { fresh, fences };
}
