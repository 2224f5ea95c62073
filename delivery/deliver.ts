import { and, eq } from "drizzle-orm";

import type { SendOutcome, SendRequest } from "../core/contracts/journey.ts";
import { deliveryId, type Handover } from "../core/delivery.ts";
import { AppError } from "../core/errors.ts";
import { contacts } from "../platform/postgres/schema.ts";
import { toAppError } from "../platform/postgres/errors.ts";
import { announceDelivery } from "./announce.ts";
import { composeMessage } from "./compose.ts";
import { CHANNEL_RULES } from "./channels/index.ts";
import { waitUntilConsidered, whileNothingComesIn } from "./considered.ts";
import { contentHash } from "./content-hash.ts";
import type { DeliveryContext } from "./context.ts";
import { type DeliveryRow, type Facts, loadFacts, loadStanding, type Standing } from "./facts.ts";
import { recordEntry, reserveDelivery } from "./ledger.ts";
import { findInLostTime } from "./lost-time.ts";
import type { OutgoingMessage, ProviderAnswer } from "./providers/provider.ts";
import { giveQuotaBack, type QuotaClaim, takeQuota } from "./quotas.ts";
import { resolveDelivery } from "./reconcile.ts";

/** A worker that was suspended this long after its reservation no longer knows what the others have done since. */
const STALE_MS = 3_000;

/**
 * Sends a message of a run, once: however often and by however many workers it is asked for. What stands in the way is an
 * outcome. Throws `unavailable` where asking again, the same way, may help; nothing is then left half done that the next
 * attempt would not find in the ledger.
 */
export async function deliver(ctx: DeliveryContext, request: SendRequest): Promise<SendOutcome> {
  const outcome = await attempt(ctx, request).catch((error: unknown) => {
    throw toAppError(error);
  });
  if (!("delivery_id" in outcome)) ctx.deliveryMetrics.became(request.channel, outcome.outcome);
  ctx.log.info({ ...idsOf(request), ...outcome }, "delivery");
  return outcome;
}

async function attempt(ctx: DeliveryContext, request: SendRequest): Promise<SendOutcome> {
  const id = deliveryId(request.run_id, request.node_id);
  const standing = await loadStanding(ctx, request, id);
  if (!standing) return { outcome: "stopped", reason: "run_not_found" };
  const { delivery } = standing;
  if (delivery && delivery.state !== "reserved") {
    const resolved = await resolveDelivery(ctx, delivery);
    if (resolved.state !== "reserved") return settle(ctx, resolved);
  }
  const bar = barOf(standing);
  if (bar) return bar;
  const claim: QuotaClaim = { ...request, delivery_id: id, settings: standing.client.settings };
  const quota = await takeQuota(ctx, claim);
  if (!quota.ok) return { outcome: "limited", reason: quota.reason, retry_at: quota.retry_at };
  await waitUntilConsidered(ctx, { client_id: request.client_id, person_keys: standing.run.person_keys });
  // Read again: a log-in that was still on its way may have made the run somebody's who can be reached.
  const considered = (await loadStanding(ctx, request, id)) ?? standing;
  const outcome = await compose(ctx, request, { standing: considered, id });
  if (outcome.outcome !== "submitted" && outcome.outcome !== "unknown") await giveQuotaBack(ctx, claim);
  return outcome;
}

/** Why the run may not send now. */
function barOf({ run, campaign }: Standing): SendOutcome | null {
  if (run.state === "held") return { outcome: "held", reason: run.reason ?? "held" };
  if (run.state !== "active") return { outcome: "stopped", reason: run.reason ?? run.state };
  if (campaign.state === "paused") return { outcome: "held", reason: "campaign_paused" };
  return campaign.state === "active" ? null : { outcome: "stopped", reason: `campaign_${campaign.state}` };
}

async function compose(
  ctx: DeliveryContext,
  request: SendRequest,
  { standing, id }: { standing: Standing; id: string },
): Promise<SendOutcome> {
  const facts = await loadFacts(ctx, request, standing.run);
  const composed = await composeMessage(ctx, request, { standing, facts, deliveryId: id });
  const handover = composed.ok ? handoverOf(composed.message) : null;
  const reservation = reservationOf(request, { standing, facts, id, handover });
  const person = { client_id: request.client_id, person_keys: standing.run.person_keys };
  const trace = handover && (await findInLostTime(ctx, standing.run, { id, channel: request.channel, handover }));
  return whileNothingComesIn(ctx, person, id, async () => {
    const row = await reserveDelivery(ctx, reservation);
    if (!row) return refused(ctx, request, id);
    if (trace) return settle(ctx, await record(ctx, row, trace(row.attempts)));
    if (composed.ok) return handOver(ctx, composed.message, row);
    const entry = { kind: "skipped", at: new Date().toISOString(), reason: composed.reason } as const;
    return settle(ctx, await record(ctx, row, entry));
  });
}

function reservationOf(
  request: SendRequest,
  parts: { standing: Standing; facts: Facts; id: string; handover: Handover | null },
) {
  const { standing, facts, id, handover } = parts;
  const provider = CHANNEL_RULES[request.channel].provider;
  return { request, deliveryId: id, run: standing.run, contactId: facts.contact?.id ?? null, provider, handover };
}

function handoverOf({ to, from, body, content }: OutgoingMessage): Handover {
  // What Twilio makes of an approved template, only Twilio knows.
  return { to, from, content_sha256: content ? "" : contentHash(body), at: new Date().toISOString() };
}

/** The reservation found the run stopped or held, or the message taken by another worker. */
async function refused(ctx: DeliveryContext, request: SendRequest, id: string): Promise<SendOutcome> {
  const standing = await loadStanding(ctx, request, id);
  const bar = standing && barOf(standing);
  if (bar && (!standing.delivery || standing.delivery.state === "reserved")) return bar;
  if (standing?.delivery) return settle(ctx, await resolveDelivery(ctx, standing.delivery));
  throw new AppError("unavailable", "The run changed while its message was reserved.", { retryAfterMs: 100 });
}

async function handOver(ctx: DeliveryContext, message: OutgoingMessage, row: DeliveryRow): Promise<SendOutcome> {
  const provider = ctx.providers[row.channel];
  const isStale = Date.now() - Date.parse(row.handover!.at) > STALE_MS;
  const beganMs = Date.now();
  const answer: ProviderAnswer = isStale ? { kind: "unreachable", reason: "stale" } : await provider.send(message);
  ctx.deliveryMetrics.answered(row.channel, answer.kind, (Date.now() - beganMs) / 1000);
  const at = new Date().toISOString();
  const attempt = row.attempts;
  switch (answer.kind) {
    case "accepted": {
      const entry = { kind: "submitted", at, provider_message_id: answer.message_id } as const;
      return settle(ctx, await record(ctx, row, entry));
    }
    case "refused":
      if (answer.reason === "fcm:UNREGISTERED") await forgetDevice(ctx, row);
      return settle(ctx, await record(ctx, row, { kind: "failed", at, reason: answer.reason }));
    case "lost": {
      const unknown = await record(ctx, row, { kind: "unknown", at, reason: answer.reason, attempt });
      return settle(ctx, await resolveDelivery(ctx, unknown));
    }
    case "limited": {
      await record(ctx, row, { kind: "released", at, reason: answer.reason, attempt });
      const retry_at = new Date(Date.now() + answer.retry_after_ms).toISOString();
      return { outcome: "limited", reason: answer.reason, retry_at };
    }
    case "unreachable":
      await record(ctx, row, { kind: "released", at, reason: answer.reason, attempt });
      throw new AppError("unavailable", `The provider is out of reach (${answer.reason}).`, { retryAfterMs: 2_000 });
  }
}

/** The app is gone from that device. One that has told us of a new token since keeps it. */
async function forgetDevice(ctx: DeliveryContext, { client_id, contact_id, handover }: DeliveryRow): Promise<void> {
  if (contact_id === null || !handover) return;
  const isThatOne = and(
    eq(contacts.id, contact_id),
    eq(contacts.client_id, client_id),
    eq(contacts.push_token, handover.to),
  );
  await ctx.db.update(contacts).set({ push_token: null }).where(isThatOne);
}

async function record(ctx: DeliveryContext, row: DeliveryRow, entry: Parameters<typeof recordEntry>[2]) {
  return (await recordEntry(ctx, row.id, entry)) ?? row;
}

/** What the journey is told. An announcement that the stream does not take now is the sweep's. */
async function settle(ctx: DeliveryContext, row: DeliveryRow): Promise<SendOutcome> {
  await announceDelivery(ctx, row).catch((error: unknown) =>
    ctx.log.warn({ err: error, delivery_id: row.id }, "not announced"),
  );
  const delivery_id = row.id;
  switch (row.state) {
    case "submitted":
    case "delivered":
      return { outcome: "submitted", delivery_id };
    case "failed":
    case "skipped":
    case "unknown":
      return { outcome: row.state, delivery_id, reason: row.reason ?? row.state };
    default:
      throw new AppError("unavailable", "The message is to be handed over again.", { retryAfterMs: 100 });
  }
}

function idsOf({ client_id, campaign_id, run_id, node_id, channel, request_id }: SendRequest) {
  return { client_id, campaign_id, run_id, node_id, channel, request_id };
}
