import { and, eq } from "drizzle-orm";
import { z } from "zod";

import { boundsOfDay } from "../../core/calendar-day.ts";
import { formatDuration } from "../../core/duration.ts";
import { AppError } from "../../core/errors.ts";
import { experimentIdSchema, experimentParts } from "../../core/experiment/definition.ts";
import { EXPERIMENT_ALPHA, judgeExperiment, type VariantDay } from "../../core/experiment/judge.ts";
import { experimentDaily, experiments } from "../../platform/postgres/schema.ts";
import type { Transaction } from "../../platform/postgres/tenant.ts";
import { readTimeZone } from "../read-time-zone.ts";
import { readAsOf } from "./as-of.ts";

export const experimentReportInput = z.object({ id: experimentIdSchema });

const count = z.int();
const p = z.number().min(0).max(1);
const intervalSchema = z.object({ low: z.number(), high: z.number() });

const comparisonSchema = z.object({
  difference: z.number().meta({ description: "To the control: of rates, or of minor units per person." }),
  relative: z.number().nullable().meta({ description: "By the control's value; null where that is 0." }),
  interval: intervalSchema.meta({
    description:
      "Newcombe's for rates; by the normal distribution for revenue. Of level 1 - alpha, for one look at the end.",
  }),
  p_value: p.meta({
    description: "Two-sided, of the z-test with pooled variance (revenue: unpooled), for one look at the end.",
  }),
  sequential: z.object({
    p_value: p.meta({ description: "Always valid: look as often as you like, stop when you like." }),
    interval: intervalSchema.nullable().meta({ description: "A confidence sequence; null until enough has happened." }),
    verdict: z.enum(["better", "worse", "undecided", "not_trusted"]).meta({
      description: "By the sequential p; `not_trusted` where the split is not what was declared.",
    }),
  }),
});

const variantSchema = z.object({
  variant: z.string(),
  is_control: z.boolean(),
  share: z.number(),
  exposed: count.meta({ description: "People, once each, whatever they saw it on." }),
  converted: count.meta({ description: "Of them, who did what the metric asks for within its window." }),
  rate: p.nullable(),
  rate_interval: intervalSchema.meta({ description: "Wilson's, of level 95 %." }),
  revenue: z.record(z.string(), count).meta({ description: "Of the metric's events, minor units by currency." }),
  revenue_per_person: z.number().nullable().meta({ description: "Minor units of the metric's currency." }),
  comparison: comparisonSchema.nullable().meta({ description: "Null for the control, and with nobody to compare." }),
});

export const experimentReportSchema = z
  .object({
    experiment_id: experimentIdSchema,
    name: z.string(),
    metric: experimentParts.metric,
    window: z.string(),
    started_at: z.iso.datetime(),
    ended_at: z.iso.datetime().nullable(),
    variants: z.array(variantSchema),
    alpha: z.number().meta({
      description: `Of each comparison: ${EXPERIMENT_ALPHA} over their number (Bonferroni).`,
    }),
    sample_ratio: z.object({
      chi_square: z.number(),
      p_value: p,
      is_ok: z.boolean().meta({ description: "False below 0.001: people are missing from a variant." }),
    }),
    left_out: z.object({
      mixed: count.meta({ description: "People who saw two variants." }),
      unknown: count.meta({ description: "People who saw only variants that were not declared." }),
    }),
    window_open: count.meta({
      description: "Of those exposed, people of the days on which a window may not have been over by `as_of`.",
    }),
    as_of: z.iso.datetime().nullable(),
  })
  .meta({ id: "ExperimentResults" });

export type ExperimentReport = z.infer<typeof experimentReportSchema>;

/** From the day's sums. Throws `not_found`. */
export async function reportExperiment(
  tx: Transaction,
  clientId: string,
  { id }: z.output<typeof experimentReportInput>,
): Promise<ExperimentReport> {
  const where = and(eq(experiments.client_id, clientId), eq(experiments.id, id));
  const found = await tx.query.experiments.findFirst({ where });
  if (found === undefined) throw new AppError("not_found", "There is no such experiment.");
  const isOurs = and(eq(experimentDaily.client_id, clientId), eq(experimentDaily.experiment_id, id));
  const rows = await tx.query.experimentDaily.findMany({ where: isOurs });
  const { alpha, variants, sample_ratio } = judgeExperiment(
    found,
    toDays(rows.filter((row) => row.kind === "counted")),
  );
  const as_of = await readAsOf(tx, clientId);
  const leftOut = (kind: "mixed" | "unknown") => personsOf(rows.filter((row) => row.kind === kind));
  return {
    experiment_id: id,
    name: found.name,
    metric: found.metric,
    window: formatDuration(found.window_ms),
    started_at: new Date(found.started_at).toISOString(),
    ended_at: found.ended_at && new Date(found.ended_at).toISOString(),
    variants,
    alpha,
    sample_ratio,
    left_out: { mixed: leftOut("mixed"), unknown: leftOut("unknown") },
    window_open: personsOf(await stillOpen(tx, clientId, rows, as_of, found.window_ms)),
    as_of,
  };
}

type DailyRow = typeof experimentDaily.$inferSelect;

function personsOf(rows: readonly DailyRow[]): number {
  return rows.reduce((sum, row) => sum + row.persons, 0);
}

function toDays(rows: readonly DailyRow[]): VariantDay[] {
  const groups = Map.groupBy(rows, (row) => `${row.day} ${row.variant}`);
  return [...groups.values()].map((group) => {
    const { day, variant } = group[0]!;
    const all = group.find((row) => row.currency === "");
    const earned = group.flatMap(({ currency, converted, revenue_minor, revenue_squares }) =>
      currency === ""
        ? []
        : [[currency, { persons: converted, minor: revenue_minor, squares: revenue_squares }] as const],
    );
    return {
      day,
      variant,
      persons: all?.persons ?? 0,
      converted: all?.converted ?? 0,
      earned: Object.fromEntries(earned),
    };
  });
}

async function stillOpen(
  tx: Transaction,
  clientId: string,
  rows: readonly DailyRow[],
  asOf: string | null,
  windowMs: number,
): Promise<DailyRow[]> {
  const timeZone = await readTimeZone(tx, clientId);
  const endOf = (day: string) => boundsOfDay(timeZone, day)[1];
  return rows.filter(
    (row) => row.kind === "counted" && (asOf === null || endOf(row.day) + windowMs > Date.parse(asOf)),
  );
}
