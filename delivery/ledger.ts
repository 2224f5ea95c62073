import { eq, sql } from "drizzle-orm";

import type { SendRequest } from "../core/contracts/journey.ts";
import { advance, type Handover, type LedgerEntry } from "../core/delivery.ts";
import { uuidOf } from "../core/uuid.ts";
import type { Transaction } from "../platform/postgres/tenant.ts";
import { activities, deliveries } from "../platform/postgres/schema.ts";
import type { DeliveryContext } from "./context.ts";
import type { DeliveryRow, RunRow } from "./facts.ts";

/** The ledger itself needs no provider. */
export type LedgerContext = Pick<DeliveryContext, "db" | "deliveryMetrics">;

export interface Reservation {
  request: SendRequest;
  deliveryId: string;
  run: RunRow;
  contactId: string | null;
  provider: string;
  /** Null: only the place in the ledger, nothing is handed over. */
  handover: Handover | null;
}

/**
 * The one conditional write that everything hangs on: takes the message for this attempt if, at this very moment, its run
 * is active, its campaign is active, and nobody else has it. The shared locks order it against whatever stops the run or
 * pauses the campaign: either the stop is committed and seen here, or it waits until this is committed. Null where the
 * message was not to be had.
 */
export async function reserveDelivery(ctx: LedgerContext, reservation: Reservation): Promise<DeliveryRow | null> {
  const { request, deliveryId, run, contactId, provider, handover } = reservation;
  const at = new Date().toISOString();
  const state = handover ? "submitting" : "reserved";
  const first = JSON.stringify([{ state: "reserved", at }, ...(handover ? [{ state, at }] : [])]);
  const again = JSON.stringify(handover ? [{ state, at }] : []);
  const attempt = handover ? 1 : 0;
  const rows = await ctx.db.execute<{ id: string }>(sql`
    insert into deliveries as d (id, client_id, campaign_id, version, run_id, node_id, person_key, contact_id, channel,
      template, state, provider, handover, attempts, request_id, history)
    select ${deliveryId}::uuid, r.client_id, r.campaign_id, r.version, r.id, ${request.node_id}, ${run.person_key},
      ${contactId}::uuid, ${request.channel}, ${request.template}, ${state}, ${provider},
      ${handover && JSON.stringify(handover)}::text::jsonb, ${attempt}::int, ${request.request_id}, ${first}::text::jsonb
    from campaigns c join journey_runs r on r.client_id = c.client_id and r.campaign_id = c.id
    where r.id = ${request.run_id}::uuid and r.client_id = ${request.client_id} and r.state = 'active' and c.state = 'active'
    for share of c, r
    on conflict (id) do update set state = excluded.state, contact_id = excluded.contact_id, provider = excluded.provider,
      handover = excluded.handover, attempts = d.attempts + ${attempt}::int, reason = null, updated_at = now(),
      history = d.history || ${again}::text::jsonb
    where d.state = 'reserved'
    returning d.id`);
  return rows.length === 0 ? null : findDelivery(ctx, deliveryId);
}

export async function findDelivery(ctx: LedgerContext, id: string): Promise<DeliveryRow | null> {
  const [row] = await ctx.db.select().from(deliveries).where(eq(deliveries.id, id));
  return row ?? null;
}

/**
 * Writes what has happened to a message, and what of it belongs into its reader's story, in one transaction. Answers the
 * row as it is then; null where there is none. What changes nothing is not written.
 */
export async function recordEntry(ctx: LedgerContext, id: string, entry: LedgerEntry): Promise<DeliveryRow | null> {
  const recorded = await ctx.db.transaction(async (tx) => {
    const [row] = await tx.select().from(deliveries).where(eq(deliveries.id, id)).for("update");
    if (!row) return null;
    const next = advance(row, entry);
    if (next === row) return { row, news: [] };
    const { history, unannounced, state, reason, provider_message_id, opened_at, clicked_at } = next;
    const changed = { history, unannounced, state, reason, provider_message_id, opened_at, clicked_at };
    await tx
      .update(deliveries)
      .set({ ...changed, updated_at: sql`now()` })
      .where(eq(deliveries.id, id));
    const news = unannounced.filter((kind) => !row.unannounced.includes(kind));
    await tellStory(tx, { ...row, ...changed }, news);
    return { row: { ...row, ...changed }, news };
  });
  for (const state of recorded?.news ?? []) ctx.deliveryMetrics.became(recorded!.row.channel, state);
  return recorded?.row ?? null;
}

/** One activity for each thing that happened, however often it is told. */
async function tellStory(tx: Transaction, row: DeliveryRow, kinds: readonly string[]): Promise<void> {
  if (kinds.length === 0) return;
  const { id, client_id, contact_id, person_key, campaign_id, run_id, channel, template } = row;
  const story = kinds.map((kind) => {
    const { at, reason } = row.history.findLast((entry) => entry.state === kind) ?? { at: new Date().toISOString() };
    const metadata = {
      delivery_id: id,
      campaign_id,
      run_id,
      channel,
      template,
      ...(reason !== undefined && { reason }),
    };
    return {
      id: uuidOf("activity", id, kind),
      client_id,
      contact_id,
      person_key,
      type: `message_${kind}`,
      metadata,
      ts: at,
    };
  });
  await tx.insert(activities).values(story).onConflictDoNothing();
}
