import { sql } from "drizzle-orm";
import { z } from "zod";

import { addDays, countDays } from "../../core/calendar-day.ts";
import { type Activity, addActivities } from "../../core/live-hour.ts";
import type { Transaction } from "../../platform/postgres/tenant.ts";
import { readAsOf } from "./as-of.ts";
import { type Days, daysInput, daysShape, readDays } from "./days.ts";
import { productsSchema, reportProducts } from "./products.ts";
import { type ActivityDeps, readActivity } from "./read-activity.ts";
import { share, shareSchema } from "./share.ts";

const TOP_PRODUCTS = 5;

export const overviewInput = z.object({
  ...daysInput,
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, "is no currency (ISO 4217)")
    .optional()
    .meta({ description: "By which products are sorted; the one of most purchases where it is left out." }),
});

const count = z.int();
const money = z.record(z.string(), count).meta({ description: "Minor units by currency." });
/** What the stream's counters can tell. */
const activityShape = {
  events: count,
  product_views: count,
  add_to_cart: count,
  orders: count,
  revenue: money,
};
/** What takes a whole day's events to tell: up to `as_of`. */
const visitsShape = {
  sessions: count.meta({ description: "Without machines'." }),
  visitors: count.meta({ description: "Persons, each once." }),
  new_visitors: count,
  conversion_rate: shareSchema.meta({ description: "Visits in which something was bought, of all visits." }),
};
const figuresSchema = z.object({ ...activityShape, ...visitsShape });

export const overviewSchema = z
  .object({
    ...daysShape,
    ...figuresSchema.shape,
    previous: z.object({ start: daysShape.start, end: daysShape.end, ...figuresSchema.shape }).meta({
      description: "As many days, just before.",
    }),
    change: z.record(z.string(), shareSchema).meta({
      description:
        "By figure: how much more than before, of what it was before (0.1: a tenth more). Null where it was 0.",
    }),
    days: z.array(z.object({ day: z.iso.date(), ...activityShape })),
    top_products: productsSchema.shape.products,
    live_since: z.iso.datetime().nullable().meta({
      description:
        "The first hour of which `events` to `revenue` were counted by the stream, of either period; null where none was.",
    }),
    live_hours: z
      .array(z.iso.datetime())
      .meta({ description: "All of them, by their beginning. Each other hour is as the aggregates have it." }),
    as_of: z.iso.datetime().nullable().meta({
      description: "Up to when `sessions` to `conversion_rate` and products count.",
    }),
  })
  .meta({ id: "Overview" });

export type OverviewReport = z.infer<typeof overviewSchema>;
type Visits = Pick<OverviewReport, keyof typeof visitsShape>;

/** A dashboard's first page. */
export async function reportOverview(
  deps: ActivityDeps,
  clientId: string,
  { start, end, currency }: z.output<typeof overviewInput>,
): Promise<OverviewReport> {
  const days = await deps.read((tx) => readDays(tx, clientId, { start, end }, deps.nowMs));
  const before = { ...days, start: addDays(days.start, -countDays(days.start, days.end)), end: days.start };
  const activity = await readActivity(deps, clientId, { ...days, start: before.start });
  const rest = await deps.read(async (tx) => ({
    visits: await readVisits(tx, clientId, days),
    before: await readVisits(tx, clientId, before),
    top: await readTop(tx, clientId, days, currency),
    as_of: await readAsOf(tx, clientId),
  }));
  const within = (some: Days) => [...activity.days].filter(([day]) => day >= some.start && day < some.end);
  const sum = (some: Days) => viewActivity(addActivities(within(some).map(([, one]) => one)));
  const now = { ...sum(days), ...rest.visits };
  const previous = { ...sum(before), ...rest.before };
  return {
    start: days.start,
    end: days.end,
    time_zone: days.timeZone,
    ...now,
    previous: { start: before.start, end: before.end, ...previous },
    change: changeOf(now, previous),
    days: within(days).map(([day, one]) => ({ day, ...viewActivity(one) })),
    top_products: rest.top,
    live_since: activity.liveHours[0] ?? null,
    live_hours: activity.liveHours,
    as_of: rest.as_of,
  };
}

function viewActivity({ events, product_views, add_to_cart, purchases: orders, revenue }: Activity) {
  return { events, product_views, add_to_cart, orders, revenue };
}

function change(now: number | null, before: number | null): number | null {
  return now === null || before === null ? null : share(now - before, Math.abs(before));
}

function changeOf(now: z.infer<typeof figuresSchema>, previous: z.infer<typeof figuresSchema>) {
  const names = ["events", "product_views", "add_to_cart", "orders", "sessions", "visitors", "new_visitors"] as const;
  return Object.fromEntries([
    ...names.map((name) => [name, change(now[name], previous[name])]),
    ["conversion_rate", change(now.conversion_rate, previous.conversion_rate)],
    ...Object.keys({ ...now.revenue, ...previous.revenue }).map((currency) => [
      `revenue_${currency}`,
      change(now.revenue[currency] ?? 0, previous.revenue[currency] ?? 0),
    ]),
  ]) as OverviewReport["change"];
}

async function readVisits(tx: Transaction, clientId: string, { start, end }: Days): Promise<Visits> {
  const ofDays = sql`client_id = ${clientId} and day >= ${start} and day < ${end}`;
  const [row] = await tx.execute<Record<"sessions" | "purchased" | "visitors" | "new_visitors", number>>(sql`
    select * from (
      select coalesce(sum(sessions), 0)::float8 as sessions, coalesce(sum(purchased), 0)::float8 as purchased
      from analytics.sessions_daily where ${ofDays} and not is_bot
    ) visits, (
      select coalesce(sum(persons) filter (where previous_day < ${start}), 0)::float8 as visitors,
        coalesce(sum(persons) filter (where previous_day = '0001-01-01'), 0)::float8 as new_visitors
      from analytics.visitors_daily where ${ofDays}
    ) visitors`);
  const { sessions, purchased, visitors, new_visitors } = row!;
  return { sessions, visitors, new_visitors, conversion_rate: share(purchased, sessions) };
}

async function readTop(tx: Transaction, clientId: string, { start, end }: Days, currency: string | undefined) {
  const query = { start, end, group_by: "product", sort: "revenue", limit: TOP_PRODUCTS, currency } as const;
  return (await reportProducts(tx, clientId, { ...query, category: undefined, cursor: undefined })).products;
}
