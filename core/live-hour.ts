import { PURCHASE, readCommerce } from "./curated-event.ts";

/** What goes on in a stretch of time: all events, those of a shop by kind, and what purchases earned. */
export interface Activity {
  events: number;
  product_views: number;
  add_to_cart: number;
  purchases: number;
  /** Minor units by currency (ISO 4217, `XXX` where none is named). */
  revenue: Readonly<Record<string, number>>;
}

/**
 * What a client's events of an hour were, as the stream brought them: by quarter of the hour (`0` to `3`), because no client's day
 * begins in the middle of one.
 */
export type LiveHour = Readonly<Record<string, Activity>>;

export const NO_ACTIVITY: Activity = { events: 0, product_views: 0, add_to_cart: 0, purchases: 0, revenue: {} };
const QUARTER_MS = 15 * 60_000;

const KINDS: Readonly<Record<string, "product_views" | "add_to_cart" | "purchases">> = {
  product_view: "product_views",
  add_to_cart: "add_to_cart",
  [PURCHASE]: "purchases",
};

/** A day (UTC) of one shard, as it is kept: by quarter of an hour, `0` to `95`, and short, because it is written all the time. */
export type LiveDay = Readonly<Record<string, Packed>>;
type Packed = readonly [events: number, views: number, carts: number, purchases: number, revenue: Activity["revenue"]];

/** The day of a time in UTC, `2026-11-21`. */
export function utcDayOf(timestamp: string): string {
  return timestamp.slice(0, 10);
}

/** One more event, with what it earned. */
export function addToLiveDay(
  before: LiveDay | undefined,
  event: { timestamp: string; event_type: string },
  earned: Earned | null,
): LiveDay {
  const { timestamp } = event;
  const quarter = Number(timestamp.slice(11, 13)) * 4 + Math.floor(Number(timestamp.slice(14, 16)) / 15);
  return { ...before, [quarter]: pack(addActivities([unpack(before?.[quarter]), activityOf(event, earned)])) };
}

/** All shards' counts of an hour, `0` to `23`, of their day. */
export function readLiveHour(shards: readonly LiveDay[], hour: number): LiveHour {
  const quarters = [0, 1, 2, 3].flatMap((nth) => {
    const found = shards.flatMap((day) => (Object.hasOwn(day, hour * 4 + nth) ? [unpack(day[hour * 4 + nth])] : []));
    return found.length === 0 ? [] : [[String(nth), addActivities(found)] as const];
  });
  return Object.fromEntries(quarters);
}

function pack({ events, product_views, add_to_cart, purchases, revenue }: Activity): Packed {
  return [events, product_views, add_to_cart, purchases, revenue];
}

function unpack(packed: Packed | undefined): Activity {
  if (packed === undefined) return NO_ACTIVITY;
  const [events, product_views, add_to_cart, purchases, revenue] = packed;
  return { events, product_views, add_to_cart, purchases, revenue };
}

export interface Earned {
  currency: string;
  minor: number;
}

/** What a purchase earned, as ETL reads it; null for anything else, and where it is no money. */
export function readEarned(eventType: string, raw: Uint8Array): Earned | null {
  if (eventType !== PURCHASE) return null;
  try {
    const { props } = JSON.parse(Buffer.from(raw).toString("utf8")) as { props?: Record<string, unknown> };
    const { revenue_minor: minor, currency } = readCommerce(eventType, props);
    return minor === null || currency === null ? null : { currency, minor };
  } catch {
    return null;
  }
}

function activityOf({ event_type }: { event_type: string }, earned: Earned | null): Activity {
  const kind = Object.hasOwn(KINDS, event_type) ? KINDS[event_type] : undefined;
  return {
    ...NO_ACTIVITY,
    events: 1,
    ...(kind && { [kind]: 1 }),
    revenue: earned === null ? {} : { [earned.currency]: earned.minor },
  };
}

export function addActivities(several: readonly Activity[]): Activity {
  const sum = { ...NO_ACTIVITY, revenue: {} as Record<string, number> };
  for (const one of several) {
    sum.events += one.events;
    sum.product_views += one.product_views;
    sum.add_to_cart += one.add_to_cart;
    sum.purchases += one.purchases;
    for (const [currency, minor] of Object.entries(one.revenue)) {
      sum.revenue[currency] = (sum.revenue[currency] ?? 0) + minor;
    }
  }
  return sum;
}

/** Of an hour that begins at `startMs`, what lies from `fromMs` up to `toMs`: both are ends of quarters. */
export function withinHour(hour: LiveHour, startMs: number, [fromMs, toMs]: readonly [number, number]): Activity {
  const isIn = (quarter: string) => {
    const atMs = startMs + Number(quarter) * QUARTER_MS;
    return atMs >= fromMs && atMs < toMs;
  };
  return addActivities(Object.entries(hour).flatMap(([quarter, activity]) => (isIn(quarter) ? [activity] : [])));
}
