import { and, asc, eq, inArray, lt, ne, sql } from "drizzle-orm";

import { type Handover, isSettled } from "../core/delivery.ts";
import { AppError } from "../core/errors.ts";
import { deliveries } from "../platform/postgres/schema.ts";
import type { DeliveryContext } from "./context.ts";
import type { DeliveryRow } from "./facts.ts";
import { recordEntry } from "./ledger.ts";

/** Beyond the provider's time-out: what a worker needs to write down the answer. */
const MARGIN_MS = 2_000;
const IN_HAND_MS = 250;

/**
 * Finds out what became of a message that was handed over and whose answer is not in the ledger: asks the provider. Found:
 * submitted. Certainly not there, once whoever handed it over must have given up and the provider's search has caught up:
 * reserved, to be handed over again. Throws `unavailable` while that is still open; after `patience.unknownMs` the row
 * stays as it is, `unknown`.
 */
export async function resolveDelivery(ctx: DeliveryContext, row: DeliveryRow): Promise<DeliveryRow> {
  if (isSettled(row.state) || row.state === "reserved" || !row.handover) return row;
  const provider = ctx.providers[row.channel];
  const at = new Date().toISOString();
  if (isInHand(row)) throw openQuestion(IN_HAND_MS);
  const found = provider.replacesRepeats ? [] : await askProvider(ctx, row);
  if (found && found.length > 0) {
    return write(ctx, row, { kind: "submitted", at, provider_message_id: found[0]! });
  }
  const ageMs = Date.now() - Date.parse(row.handover.at);
  const graceMs = ctx.patience.providerMs + MARGIN_MS + provider.searchLagMs;
  if (found && ageMs > graceMs) {
    return write(ctx, row, { kind: "released", at, reason: "not_at_provider", attempt: row.attempts });
  }
  if (ageMs > ctx.patience.unknownMs) return markUnknown(ctx, row, at);
  // Not known, but the worker that had it is certainly gone: for people to see.
  if (ageMs > ctx.patience.providerMs + MARGIN_MS) await markUnknown(ctx, row, at);
  throw openQuestion(Math.min(60_000, Math.max(IN_HAND_MS, graceMs - ageMs)));
}

/** Another worker has taken it this very moment and will mostly know soon. */
function isInHand({ state, handover }: DeliveryRow): boolean {
  return state === "submitting" && Date.now() - Date.parse(handover!.at) < MARGIN_MS;
}

function openQuestion(retryAfterMs: number): AppError {
  return new AppError("unavailable", "Whether the provider has the message is not known yet.", { retryAfterMs });
}

async function askProvider(ctx: DeliveryContext, row: DeliveryRow): Promise<string[] | null> {
  return findAtProvider(ctx, row, row.handover!).catch((error: unknown) => {
    ctx.log.warn({ delivery_id: row.id, provider: row.provider, err: String(error) }, "provider cannot be asked");
    return null;
  });
}

/** Ids that no other delivery has been found under; null where the provider cannot tell. Throws where it does not answer. */
export async function findAtProvider(
  ctx: DeliveryContext,
  row: Pick<DeliveryRow, "id" | "channel">,
  handover: Handover,
): Promise<string[] | null> {
  const provider = ctx.providers[row.channel];
  const ids = await provider.find(row.id, handover);
  if (!ids || ids.length === 0) return ids;
  const taken = await ctx.db
    .select({ id: deliveries.provider_message_id })
    .from(deliveries)
    .where(
      and(
        eq(deliveries.provider, provider.name),
        inArray(deliveries.provider_message_id, ids),
        ne(deliveries.id, row.id),
      ),
    );
  return ids.filter((id) => !taken.some((other) => other.id === id));
}

async function markUnknown(ctx: DeliveryContext, row: DeliveryRow, at: string): Promise<DeliveryRow> {
  if (row.state === "unknown") return row;
  return write(ctx, row, { kind: "unknown", at, reason: "no_answer", attempt: row.attempts });
}

async function write(
  ctx: DeliveryContext,
  row: DeliveryRow,
  entry: Parameters<typeof recordEntry>[2],
): Promise<DeliveryRow> {
  return (await recordEntry(ctx, row.id, entry)) ?? row;
}

/** Deliveries that nobody has touched for a while and that are not settled, oldest first. */
export function findUnsettled(
  ctx: DeliveryContext,
  { idleMs, limit }: { idleMs: number; limit: number },
): Promise<DeliveryRow[]> {
  return ctx.db
    .select()
    .from(deliveries)
    .where(and(inArray(deliveries.state, ["reserved", "submitting", "unknown"]), isIdle(idleMs)))
    .orderBy(asc(deliveries.updated_at))
    .limit(limit);
}

/** Deliveries of which something is still owed to the stream. */
export function findUnannounced(
  ctx: DeliveryContext,
  { idleMs, limit }: { idleMs: number; limit: number },
): Promise<DeliveryRow[]> {
  return ctx.db
    .select()
    .from(deliveries)
    .where(and(sql`${deliveries.unannounced} <> '{}'`, isIdle(idleMs)))
    .orderBy(asc(deliveries.updated_at))
    .limit(limit);
}

function isIdle(idleMs: number) {
  return lt(deliveries.updated_at, sql`now() - make_interval(secs => ${idleMs / 1000})`);
}
