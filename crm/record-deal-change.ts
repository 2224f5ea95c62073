import { sql } from "drizzle-orm";

import type { Event } from "../core/event.ts";
import { personOf } from "../core/person-key.ts";
import type { StageKind } from "../core/pipeline/pipeline.ts";
import { uuidOf } from "../core/uuid.ts";
import { oweEvents } from "../platform/event-outbox.ts";
import { activities, dealChanges } from "../platform/postgres/schema.ts";
import type { Transaction } from "../platform/postgres/tenant.ts";
import { type CrmContext, writeAudit } from "./context.ts";
import type { DealRow } from "./deal.ts";

interface DealChange {
  deal: DealRow;
  kind: StageKind;
  /** The stage before; null when the deal is new. */
  previous: string | null;
  /** Of its contact. */
  personKey: string;
}

/** The moment of a change, never before that of the one before, whatever the clock does. PostgreSQL's own text. */
export async function readChangeTime(tx: Transaction, after?: string): Promise<string> {
  const [row] = await tx.execute<{ at: string }>(
    sql`select greatest(clock_timestamp(), ${after ?? null}::timestamptz)::text as at`,
  );
  return row!.at;
}

/** All that belongs to a change, in its own transaction: history, the contact's timeline, the audit, and the events that it owes. */
export async function recordDealChange(ctx: CrmContext, tx: Transaction, change: DealChange): Promise<void> {
  const { deal, personKey } = change;
  const { client_id, id: deal_id, version, updated_at: at, contact_id } = deal;
  const { pipeline_id, stage, owner, source, amount_minor, currency, expected_close, reason } = deal;
  const facts = { pipeline_id, stage, owner, source, amount_minor, currency, expected_close, reason };
  await tx.insert(dealChanges).values({ client_id, deal_id, version, at, actor: ctx.principal.actor, ...facts });
  const types = typesOf(change);
  const events = types.map((type) => eventOf(change, type));
  await tx.insert(activities).values({
    id: uuidOf("deal_change", client_id, deal_id, String(version)),
    client_id,
    contact_id,
    person_key: personKey,
    // The last says most: `deal_won` more than `deal_stage_changed`.
    type: types.at(-1)!,
    metadata: events.at(-1)!.props ?? {},
    ts: at,
  });
  await oweEvents(tx, ctx.principal.request_id, events);
  const details = { version, stage };
  await writeAudit(ctx, tx, { action: types[0]!.replace("_", "."), subject: `deal:${deal_id}`, details });
}

function typesOf({ kind, previous, deal }: DealChange): string[] {
  if (previous === deal.stage) return ["deal_updated"];
  const closing = kind === "open" ? [] : [`deal_${kind}`];
  return [previous === null ? "deal_created" : "deal_stage_changed", ...closing];
}

/** Canonical, under an id that deal, version and type determine. */
function eventOf({ deal, kind, previous, personKey }: DealChange, event_type: string): Event {
  const {
    client_id,
    id: deal_id,
    version,
    updated_at,
    title,
    contact_id,
    company_id,
    product_id,
    pipeline_id,
    stage,
  } = deal;
  const { owner, source, amount_minor, currency, expected_close, reason } = deal;
  const where = { pipeline_id, stage, stage_kind: kind, previous_stage: previous };
  const what = {
    title,
    contact_id,
    company_id,
    product_id,
    owner,
    source,
    amount_minor,
    currency,
    expected_close,
    reason,
  };
  return {
    event_id: uuidOf("deal_event", client_id, deal_id, String(version), event_type),
    timestamp: new Date(updated_at).toISOString(),
    client_id,
    ...personOf(personKey),
    event_type,
    props: { deal_id, version, ...where, ...what },
    context: { source: "livora" },
  };
}
