import { parseDuration } from "./duration.ts";
import { DAY_MS } from "./time.ts";

const DEFAULT_WINDOW_MS = 7 * DAY_MS;
const MAX_WINDOW_MS = 90 * DAY_MS;

/** How long after a message a purchase is attributed to it, by the campaign's JSON: `attribution_window`, else seven days. */
export function readAttributionWindow(source: unknown): number {
  const text = (source as { attribution_window?: unknown } | null)?.attribution_window;
  return (typeof text === "string" ? parseDuration(text) : undefined) ?? DEFAULT_WINDOW_MS;
}

export function isAttributionWindow(text: string): boolean {
  const ms = parseDuration(text);
  return ms !== undefined && ms > 0 && ms <= MAX_WINDOW_MS;
}

/** A message of the ledger, as far as attribution asks; times in epoch milliseconds. */
export interface PerformedMessage {
  id: string;
  run_id: string;
  campaign_id: string;
  channel: string;
  state: string;
  /** When the provider took it; null where it never did. */
  sent_at: number | null;
}

export interface PerformedRun {
  id: string;
  campaign_id: string;
  person: string;
  arm: string | null;
  entered_at: number;
}

export interface PerformedPurchase {
  event_id: string;
  person: string;
  at: number;
  currency: string;
  revenue_minor: number;
}

/** The message that each purchase is attributed to, by the event's id. Who was written to last, of those within their campaign's window. */
export function attributePurchases(
  purchases: readonly PerformedPurchase[],
  messages: readonly PerformedMessage[],
  runs: ReadonlyMap<string, PerformedRun>,
  windowOf: (campaignId: string) => number,
): Map<string, PerformedMessage> {
  const attributed = new Map<string, PerformedMessage>();
  for (const { event_id, person, at } of purchases) {
    const touches = messages.filter(
      ({ run_id, campaign_id, state, sent_at }) =>
        state !== "failed" &&
        sent_at !== null &&
        runs.get(run_id)?.person === person &&
        sent_at <= at &&
        at < sent_at + windowOf(campaign_id),
    );
    const last = touches.toSorted((a, b) => b.sent_at! - a.sent_at! || (a.id < b.id ? 1 : -1))[0];
    if (last) attributed.set(event_id, last);
  }
  return attributed;
}

export interface ArmMember {
  campaign_id: string;
  person: string;
  arm: "treated" | "holdout" | "mixed";
  entered_at: number;
  isBuyer: boolean;
  /** Minor units by currency. */
  paid: Record<string, number>;
}

/**
 * Who took part in a campaign's holdout, once each: since their first run that names an arm, for the campaign's window. Who
 * had runs of both kinds belongs to neither.
 */
export function countArms(
  runs: readonly PerformedRun[],
  purchases: readonly PerformedPurchase[],
  windowOf: (campaignId: string) => number,
): ArmMember[] {
  const armed = runs.filter((run) => run.arm !== null);
  return [...Map.groupBy(armed, (run) => JSON.stringify([run.campaign_id, run.person])).values()].map((theirs) => {
    const first = theirs.toSorted((a, b) => a.entered_at - b.entered_at)[0]!;
    const { campaign_id, person, entered_at } = first;
    const kinds = new Set(theirs.map((run) => (run.arm === "holdout" ? "holdout" : "treated")));
    const bought = purchases.filter(
      (one) => one.person === person && one.at >= entered_at && one.at < entered_at + windowOf(campaign_id),
    );
    const paid: Record<string, number> = {};
    for (const { currency, revenue_minor } of bought) {
      if (currency !== "") paid[currency] = (paid[currency] ?? 0) + revenue_minor;
    }
    const arm = kinds.size > 1 ? "mixed" : [...kinds][0]!;
    return { campaign_id, person, arm, entered_at, isBuyer: bought.length > 0, paid };
  });
}
