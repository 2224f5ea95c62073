import type { Funnel } from "./funnel.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "./time.ts";

interface RegisteredFunnel {
  name: string;
  funnel: Funnel;
}

const steps = ["product_view", "add_to_cart", "purchase"].map((event_type) => ({ event_type, conditions: [] }));

/** Those that ETL keeps an aggregate of: any range of whole hours or days is answered in milliseconds. A change needs another name. */
export const REGISTERED_FUNNELS: readonly RegisteredFunnel[] = [
  { name: "purchase_by_session_pt30m", funnel: { unit: "session", window_ms: 30 * MINUTE_MS, steps } },
  { name: "purchase_by_user_pt30m", funnel: { unit: "user", window_ms: 30 * MINUTE_MS, steps } },
  { name: "purchase_by_user_p7d", funnel: { unit: "user", window_ms: 7 * DAY_MS, steps } },
];

/** The registered funnel that answers this one: all units, without conditions and groups. */
export function findRegistered(asked: Funnel): RegisteredFunnel | undefined {
  if (asked.product_id !== undefined || asked.group_by !== undefined) return undefined;
  return REGISTERED_FUNNELS.find(({ funnel }) => {
    const { unit, window_ms } = funnel;
    const isSame = asked.steps.every(
      (step, nth) => step.conditions.length === 0 && step.event_type === funnel.steps[nth]?.event_type,
    );
    return unit === asked.unit && window_ms === asked.window_ms && asked.steps.length === funnel.steps.length && isSame;
  });
}

/** How long hours are kept, back from the last one of them, and how far back their units are looked for: the longest range by hours. */
export const HOURLY = { keptMs: 62 * DAY_MS, rangeMs: 7 * DAY_MS, grainMs: HOUR_MS };
/** The longest range of all. */
export const MAX_FUNNEL_RANGE_MS = 400 * DAY_MS;
