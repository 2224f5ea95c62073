import { and, eq, sql } from "drizzle-orm";
import { z } from "zod";

import { boundsOfDay, dayIn } from "../../core/calendar-day.ts";
import { formatDuration } from "../../core/duration.ts";
import {
  DEFAULT_WINDOW,
  type Funnel,
  FUNNEL_GROUPS,
  FUNNEL_UNITS,
  funnelProductSchema,
  funnelStepsSchema,
  funnelWindowSchema,
} from "../../core/funnel.ts";
import { findRegistered, HOURLY } from "../../core/registered-funnels.ts";
import { builds, funnelHourly } from "../../platform/postgres/schema.ts";
import type { Transaction } from "../../platform/postgres/tenant.ts";
import { readAsOf } from "./as-of.ts";
import { type Range, rangeInput } from "./range.ts";
import { share } from "./share.ts";

export const funnelInput = z.object({
  ...rangeInput,
  steps: funnelStepsSchema.prefault("product_view,add_to_cart,purchase"),
  unit: z.enum(FUNNEL_UNITS).default("session").meta({ description: "`user` is a person over all devices." }),
  window: funnelWindowSchema.prefault(DEFAULT_WINDOW),
  product_id: funnelProductSchema.optional(),
  group_by: z.enum(FUNNEL_GROUPS).optional(),
});

const countsSchema = z.array(
  z.object({
    event_type: z.string(),
    count: z.int().meta({ description: "Units that have got so far." }),
    conversion_from_previous: z
      .number()
      .nullable()
      .meta({ description: "Null where nobody has got to the step before." }),
    conversion_from_first: z.number().nullable(),
  }),
);

export const funnelReportSchema = z
  .object({
    unit: z.enum(FUNNEL_UNITS),
    window: z.string(),
    steps: countsSchema,
    groups: z
      .array(z.object({ key: z.string().nullable().meta({ description: "Null: not said." }), steps: countsSchema }))
      .meta({ description: "Most units first; a unit may stand in several groups, and counts once in `steps`." }),
    as_of: z.iso.datetime().nullable(),
  })
  .meta({ id: "Funnel" });

export type FunnelReport = z.infer<typeof funnelReportSchema>;

/** Units by step, of all and of each group. */
export interface FunnelUnits {
  steps: readonly number[];
  groups: readonly { key: string | null; steps: readonly number[] }[];
}

/** From the aggregate; undefined where it does not hold the answer. */
export async function findFunnelUnits(
  tx: Transaction,
  clientId: string,
  funnel: Funnel,
  range: Range,
): Promise<FunnelUnits | undefined> {
  const registered = findRegistered(funnel);
  if (!registered) return undefined;
  const isOurs = and(eq(builds.client_id, clientId), eq(builds.aggregate, "funnel_hourly"));
  if (!(await tx.query.builds.findFirst({ where: isOurs }))) return undefined;
  const asked = toDays(range) ?? toHours(range);
  if (!asked) return undefined;
  const { grain, start, end } = asked;
  const ofFunnel = sql`client_id = ${clientId} and funnel = ${registered.name} and grain = ${grain}`;
  if (grain === "hour") {
    const [last] = await tx.execute<{ ms: number | null }>(
      sql`select extract(epoch from max(entered))::float8 * 1000 as ms from ${funnelHourly} where ${ofFunnel} and step = 1`,
    );
    // Where there is none at all, nobody ever came.
    if (last!.ms !== null && Date.parse(start) < last!.ms - HOURLY.keptMs) return undefined;
  }
  const rows = await tx.execute<{ step: number; units: number }>(sql`
    select step, sum(units)::float8 as units from ${funnelHourly}
    where ${ofFunnel} and entered >= ${start} and entered < ${end} and entered_before < ${start} group by step`);
  const units = new Map(rows.map((row) => [row.step, row.units]));
  return { steps: funnel.steps.map((_, nth) => units.get(nth + 1) ?? 0), groups: [] };
}

interface Entries {
  grain: "hour" | "day";
  start: string;
  end: string;
}

/** A range of whole days of the client. */
function toDays({ start, end, timeZone }: Range): Entries | undefined {
  const days = [start, end].map((ms) => {
    const day = dayIn(timeZone, ms);
    return boundsOfDay(timeZone, day)[0] === ms ? `${day}T00:00:00Z` : undefined;
  });
  const [from, to] = days;
  return from !== undefined && to !== undefined ? { grain: "day", start: from, end: to } : undefined;
}

function toHours({ start, end }: Range): Entries | undefined {
  const isWhole = start % HOURLY.grainMs === 0 && end % HOURLY.grainMs === 0;
  if (!isWhole || end - start > HOURLY.rangeMs) return undefined;
  return { grain: "hour", start: new Date(start).toISOString(), end: new Date(end).toISOString() };
}

export async function describeFunnel(
  tx: Transaction,
  clientId: string,
  funnel: Funnel,
  { steps, groups }: FunnelUnits,
): Promise<FunnelReport> {
  const { unit, window_ms } = funnel;
  const withCounts = (units: readonly number[]) =>
    funnel.steps.map(({ event_type }, nth) => ({
      event_type,
      count: units[nth]!,
      conversion_from_previous: nth === 0 ? null : share(units[nth]!, units[nth - 1]!),
      conversion_from_first: share(units[nth]!, units[0]!),
    }));
  return {
    unit,
    window: formatDuration(window_ms),
    steps: withCounts(steps),
    groups: groups.map(({ key, steps: ofGroup }) => ({ key, steps: withCounts(ofGroup) })),
    as_of: await readAsOf(tx, clientId),
  };
}
