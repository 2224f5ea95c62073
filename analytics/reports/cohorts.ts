import { and, asc, eq, gte, lt } from "drizzle-orm";
import { z } from "zod";

import { COHORT_BY, COHORT_PERIODS, periodsBetween } from "../../core/cohort.ts";
import { cohortRetention } from "../../platform/postgres/schema.ts";
import type { Transaction } from "../../platform/postgres/tenant.ts";
import { readAsOf } from "./as-of.ts";

const MOST_COHORTS = 400;

export const cohortsInput = z
  .object({
    period: z.enum(COHORT_PERIODS).default("month").meta({ description: "Weeks begin on Monday." }),
    start: z.iso
      .date()
      .meta({ description: "The first day, in the client's time zone: cohorts that begin on it or later." }),
    end: z.iso.date().meta({ description: "The day after the last: cohorts that begin before it." }),
    by: z
      .enum(COHORT_BY)
      .default("first_purchase")
      .meta({ description: "What begins a cohort, and what counts as return." }),
  })
  .refine(({ start, end }) => start < end, { path: ["end"], message: "must be after start" })
  .refine(({ period, start, end }) => periodsBetween(period, start, end) <= MOST_COHORTS, {
    path: ["end"],
    message: `must be at most ${MOST_COHORTS} periods after start`,
  });

const pointSchema = z.object({
  age: z.int().meta({ description: "Periods after the first, which is 0." }),
  persons: z
    .int()
    .meta({ description: "Who bought (`first_purchase`) or was there at all (`first_seen`) in that period." }),
  retention: z.number().meta({ description: "Of all in the cohort." }),
  revenue: z.record(z.string(), z.int()).meta({ description: "Minor units by currency." }),
});

export const cohortsSchema = z
  .object({
    period: z.enum(COHORT_PERIODS),
    by: z.enum(COHORT_BY),
    cohorts: z.array(
      z.object({
        cohort: z.iso.date().meta({ description: "The first day of the period in which they began." }),
        persons: z.int(),
        periods: z.array(pointSchema).meta({ description: "Periods in which nobody was there are left out." }),
      }),
    ),
    as_of: z.iso.datetime().nullable(),
  })
  .meta({ id: "Cohorts" });

export type CohortsReport = z.infer<typeof cohortsSchema>;

export async function reportCohorts(
  tx: Transaction,
  clientId: string,
  { period, start, end, by }: z.output<typeof cohortsInput>,
): Promise<CohortsReport> {
  const { client_id, cohort_by, period: kind, cohort, age } = cohortRetention;
  const isMeant = and(
    eq(client_id, clientId),
    eq(cohort_by, by),
    eq(kind, period),
    gte(cohort, start),
    lt(cohort, end),
  );
  const rows = await tx.query.cohortRetention.findMany({ where: isMeant, orderBy: [asc(cohort), asc(age)] });
  const cohorts = [...Map.groupBy(rows, (row) => row.cohort)].map(([cohort, points]) => {
    // Everybody was there when they began.
    const persons = points[0]!.persons;
    const periods = points.map((one) => ({
      age: one.age,
      persons: one.persons,
      retention: one.persons / persons,
      revenue: one.revenue,
    }));
    return { cohort, persons, periods };
  });
  return { period, by, cohorts, as_of: await readAsOf(tx, clientId) };
}
