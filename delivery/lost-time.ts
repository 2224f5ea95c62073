import type { Handover, LedgerEntry } from "../core/delivery.ts";
import { AppError } from "../core/errors.ts";
import type { DeliveryContext } from "./context.ts";
import type { DeliveryRow, RunRow } from "./facts.ts";
import { findAtProvider } from "./reconcile.ts";

/** The message's entry in the ledger, once it is reserved for this attempt. */
type Trace = (attempt: number) => LedgerEntry;

/**
 * After a restore the ledger is older than what was sent: a message that it knows nothing of may have gone out in the time
 * that was lost. It is asked for at the provider. Null: it has certainly not, or there was no restore. Where the provider
 * cannot tell it is `unknown`, and not sent. Throws `unavailable` where the provider does not answer.
 */
export async function findInLostTime(
  ctx: DeliveryContext,
  run: Pick<RunRow, "entered_at">,
  message: Pick<DeliveryRow, "id" | "channel"> & { handover: Handover },
): Promise<Trace | null> {
  const { LIVORA_LOST_SINCE: since, LIVORA_LOST_UNTIL: until } = ctx.config;
  if (!since || !until || Date.parse(run.entered_at) > Date.parse(until)) return null;
  if (ctx.providers[message.channel].replacesRepeats) return null;
  const at = new Date().toISOString();
  const found = await findAtProvider(ctx, message, { ...message.handover, at: since, until }).catch(
    (cause: unknown) => {
      throw new AppError("unavailable", "The provider cannot be asked what was sent before the restore.", {
        cause,
        retryAfterMs: 2_000,
      });
    },
  );
  if (!found) return (attempt) => ({ kind: "unknown", at, reason: "sent_before_restore", attempt });
  const [provider_message_id] = found;
  return provider_message_id === undefined ? null : () => ({ kind: "submitted", at, provider_message_id });
}
