import { eq } from "drizzle-orm";

import type { SendRequest } from "../core/contracts/journey.ts";
import { isAppError } from "../core/errors.ts";
import { journeyRuns } from "../platform/postgres/schema.ts";
import { announceDelivery } from "./announce.ts";
import type { DeliveryContext } from "./context.ts";
import { deliver } from "./deliver.ts";
import type { DeliveryRow } from "./facts.ts";
import { findDelivery, recordEntry } from "./ledger.ts";
import { findUnannounced, findUnsettled, resolveDelivery } from "./reconcile.ts";

export interface SweepOptions {
  /** What was touched more recently is somebody's work in hand. */
  idleMs: number;
  limit: number;
}

export interface SweepReport {
  looked_at: number;
  settled: number;
  announced: number;
}

const DEFAULTS: SweepOptions = { idleMs: 60_000, limit: 500 };

/**
 * What no retry of a journey looks after any more: asks providers about messages of unknown fate, sends what turns out
 * never to have arrived if its run still may, says of the others why they were not sent, and announces what is owed to
 * the stream. May run anywhere, any time, several at once.
 */
export async function sweepDeliveries(ctx: DeliveryContext, options: Partial<SweepOptions> = {}): Promise<SweepReport> {
  const { idleMs, limit } = { ...DEFAULTS, ...options };
  const unsettled = await findUnsettled(ctx, { idleMs, limit });
  ctx.deliveryMetrics.unsettled(unsettled.length);
  let settled = 0;
  for (const row of unsettled) if (await settleOne(ctx, row)) settled += 1;
  const owed = await findUnannounced(ctx, { idleMs: Math.min(idleMs, 30_000), limit });
  for (const row of owed) await announceDelivery(ctx, row);
  return { looked_at: unsettled.length, settled, announced: owed.length };
}

/** Whether its fate is known now. What is still open is not an error: the next sweep comes. */
async function settleOne(ctx: DeliveryContext, row: DeliveryRow): Promise<boolean> {
  try {
    const resolved = await resolveDelivery(ctx, row);
    if (resolved.state !== "reserved") return resolved.state !== "unknown";
    return (await isRunActive(ctx, row)) ? await sendAgain(ctx, resolved) : await giveUp(ctx, resolved);
  } catch (error) {
    if (!isAppError(error, "unavailable")) throw error;
    return false;
  }
}

async function isRunActive(ctx: DeliveryContext, row: DeliveryRow): Promise<boolean> {
  const [run] = await ctx.db
    .select({ state: journeyRuns.state })
    .from(journeyRuns)
    .where(eq(journeyRuns.id, row.run_id));
  return run?.state === "active" || run?.state === "held";
}

async function sendAgain(ctx: DeliveryContext, row: DeliveryRow): Promise<boolean> {
  const outcome = await deliver(ctx, requestOf(row));
  return "delivery_id" in outcome;
}

/** The run is over: the message was never at the provider, and will not be. */
async function giveUp(ctx: DeliveryContext, row: DeliveryRow): Promise<boolean> {
  const at = new Date().toISOString();
  await recordEntry(ctx, row.id, { kind: "skipped", at, reason: row.reason ?? "run_ended" });
  const skipped = await findDelivery(ctx, row.id);
  if (skipped) await announceDelivery(ctx, skipped);
  return true;
}

function requestOf(row: DeliveryRow): SendRequest {
  const { client_id, campaign_id, version, run_id, node_id, channel, template, request_id } = row;
  const decided_at = new Date().toISOString();
  return { client_id, campaign_id, version, run_id, node_id, channel, template, decided_at, request_id };
}
