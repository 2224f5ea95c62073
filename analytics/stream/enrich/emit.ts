import { encodeEnriched } from "../../../core/enriched-event.ts";
import type { StreamProducer } from "../../../platform/stream/types.ts";
import type { Draft } from "./step.ts";

/** Bytes on their way at once. The producer refuses when too much waits, and a gap in a lane must never be. */
const WINDOW_BYTES = 8 * 1024 * 1024;

/** To the stream "enriched", each in the lane it came in. Resolves once all are acknowledged. */
export async function emitEvents(producer: Pick<StreamProducer, "append">, drafts: readonly Draft[]): Promise<void> {
  let window: Promise<unknown>[] = [];
  let bytes = 0;
  for (const draft of drafts) {
    const data = encodeDraft(draft);
    window.push(producer.append(draft.lane, data, 1));
    bytes += data.byteLength;
    if (bytes < WINDOW_BYTES) continue;
    await Promise.all(window);
    window = [];
    bytes = 0;
  }
  await Promise.all(window);
}

function encodeDraft(draft: Draft): Buffer {
  const { event, found } = draft;
  const enrichment = {
    client_id: draft.clientId,
    event_id: event.event_id,
    event_type: event.event_type,
    timestamp: draft.at,
    received_at: draft.receivedAt,
    request_id: draft.requestId,
    source: draft.source,
    lane: draft.lane,
    person: found.person,
    session_id: event.session_id ?? null,
    session: found.session,
    geo: found.geo,
    ua: found.ua,
    is_bot: found.is_bot,
    utm: found.utm,
    ...(draft.backfillId !== undefined && { backfill_id: draft.backfillId }),
  };
  return encodeEnriched(enrichment, draft.raw);
}
