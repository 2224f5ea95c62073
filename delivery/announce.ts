import { eq, sql } from "drizzle-orm";

import { encodeEnvelope } from "../core/envelope.ts";
import { type Event, partitionKeyOf } from "../core/event.ts";
import { personOf } from "../core/person-key.ts";
import { laneOf } from "../core/position.ts";
import { uuidOf } from "../core/uuid.ts";
import { journeyRuns } from "../platform/postgres/schema.ts";
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
  const enteredAt = await readEntry(ctx, row);
  // In order: all of a person's share a lane, and a lane keeps the order of its appends.
  await Promise.all(kinds.map((kind) => append(ctx, row, enteredAt, deliveryEvent(row, kind))));
  // What else has happened meanwhile stays owed.
  await ctx.db.execute(sql`
    update deliveries set unannounced = array(select kind from unnest(unannounced) as kind
      where kind <> all(${sql.param(kinds)}::text[]))
    where id = ${row.id}::uuid`);
}

/**
 * When the run was entered, by its event: the one time of a message that is the same on both sides of a restore, after which
 * the ledger may come to know at another time what it has announced before.
 */
async function readEntry({ db }: AnnounceContext, row: DeliveryRow): Promise<string> {
  const [run] = await db
    .select({ entered_at: journeyRuns.entered_at })
    .from(journeyRuns)
    .where(eq(journeyRuns.id, row.run_id));
  return new Date(run?.entered_at ?? row.created_at).toISOString();
}

async function append(ctx: AnnounceContext, row: DeliveryRow, seen_under: string, event: Event): Promise<void> {
  const { client_id, request_id } = row;
  const header = { client_id, received_at: new Date().toISOString(), request_id, seen_under };
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
