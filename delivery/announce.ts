import { sql } from "drizzle-orm";

import { encodeEnvelope } from "../core/envelope.ts";
import { type Event, partitionKeyOf } from "../core/event.ts";
import { laneOf } from "../core/position.ts";
import { uuidOf } from "../core/uuid.ts";
import type { DeliveryContext } from "./context.ts";
import type { DeliveryRow } from "./facts.ts";

type AnnounceContext = Pick<DeliveryContext, "db" | "producer">;

const DELIVERY_EVENT = "campaign_delivery";

/**
 * Puts what has happened to a message on the stream "events", like any event of a client's, and then forgets that it was
 * owed. A crash in between puts it there again under the same id, which the enricher takes once. Rejects where the stream
 * does not take it; the sweep finds what is still owed.
 */
export async function announceDelivery(ctx: AnnounceContext, row: DeliveryRow): Promise<void> {
  const kinds = row.unannounced;
  if (kinds.length === 0) return;
  // In order: all of a person's share a lane, and a lane keeps the order of its appends.
  await Promise.all(kinds.map((kind) => append(ctx, row, deliveryEvent(row, kind))));
  // What else has happened meanwhile stays owed.
  await ctx.db.execute(sql`
    update deliveries set unannounced = array(select kind from unnest(unannounced) as kind
      where kind <> all(${sql.param(kinds)}::text[]))
    where id = ${row.id}::uuid`);
}

async function append(ctx: AnnounceContext, row: DeliveryRow, event: Event): Promise<void> {
  const header = { client_id: row.client_id, received_at: new Date().toISOString(), request_id: row.request_id };
  const envelope = encodeEnvelope(header, [Buffer.from(JSON.stringify(event))]);
  await ctx.producer.append(laneOf(partitionKeyOf(event)), envelope, 1);
}

/** The canonical event of a delivery's state, under an id that the two determine. */
function deliveryEvent(row: DeliveryRow, kind: string): Event {
  const happened = row.history.findLast((entry) => entry.state === kind);
  const { campaign_id, version, run_id, node_id, channel, template } = row;
  return {
    event_id: uuidOf(DELIVERY_EVENT, row.id, kind),
    timestamp: new Date(happened?.at ?? row.updated_at).toISOString(),
    client_id: row.client_id,
    ...personOf(row.person_key),
    event_type: DELIVERY_EVENT,
    props: {
      campaign_id,
      delivery_id: row.id,
      channel,
      state: kind,
      reason: happened?.reason ?? null,
      template,
      version,
      run_id,
      node_id,
    },
    context: { source: "livora" },
  };
}

/** `user:…`, `anon:…` or `session:…`, back into the field that it came from. */
function personOf(personKey: string): Pick<Event, "user_id" | "anon_id" | "session_id"> {
  const colon = personKey.indexOf(":");
  const [kind, id] = [personKey.slice(0, colon), personKey.slice(colon + 1)];
  if (kind === "user") return { user_id: id };
  return kind === "anon" ? { anon_id: id } : { session_id: id };
}
