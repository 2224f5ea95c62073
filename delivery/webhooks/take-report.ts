import type { LedgerEntry, ReceiptKind } from "../../core/delivery.ts";
import { announceDelivery } from "../announce.ts";
import { findDelivery, recordEntry } from "../ledger.ts";
import type { WebhookContext } from "./context.ts";

export interface Report {
  delivery_id: string;
  kind: ReceiptKind;
  at: string;
  reason?: string;
  provider_message_id: string;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * What a provider tells of a message, into the ledger, the reader's story and the stream, each once. When this resolves
 * the provider may be answered; when it rejects the provider must tell it again. A message that is not ours (another
 * system on the same account) is no error.
 */
export async function takeReport(ctx: WebhookContext, report: Report): Promise<void> {
  const { delivery_id, provider_message_id } = report;
  const row = UUID.test(delivery_id) ? await findDelivery(ctx, delivery_id) : null;
  if (!row) return ctx.log.debug({ kind: report.kind }, "webhook for a message that is not ours");
  // It would mean that it went out twice: for people to look into. What it tells is taken all the same.
  const isAboutAnother = row.provider_message_id !== null && row.provider_message_id !== provider_message_id;
  if (isAboutAnother) ctx.log.warn({ delivery_id, kind: report.kind }, "webhook under another message id");
  const after = await recordEntry(ctx, delivery_id, entryOf(report));
  if (after) await announceDelivery(ctx, after);
}

function entryOf({ kind, at, reason, provider_message_id }: Report): LedgerEntry {
  return { kind, at, provider_message_id, ...(reason !== undefined && { reason }) };
}
