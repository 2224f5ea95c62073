import { z } from "zod";

import { compareMeans, compareProportions } from "../../core/experiment/compare.ts";
import { EXPERIMENT_ALPHA } from "../../core/experiment/judge.ts";
import type { campaignArms } from "../../platform/postgres/schema.ts";

const count = z.int();
const revenue = z.record(z.string(), count).meta({ description: "Minor units by currency." });
const armSchema = z.object({
  persons: count.meta({ description: "Who entered, once each." }),
  buyers: count.meta({ description: "Who bought within the window after they entered." }),
  rate: z.number().nullable(),
  revenue,
});
const comparison = {
  difference: z.number().meta({ description: "Treated less holdout: of rates, or of minor units per person." }),
  interval: z.object({ low: z.number(), high: z.number() }).meta({ description: "Of level 95 %." }),
  p_value: z.number().meta({ description: "Two-sided, for one look." }),
};

export const liftSchema = z.object({
  treated: armSchema,
  holdout: armSchema,
  mixed: count.meta({ description: "People who were once in the one and once in the other: in neither." }),
  conversion: z
    .object({ ...comparison, relative: z.number().nullable().meta({ description: "By the holdout's rate." }) })
    .nullable()
    .meta({ description: "Null where there is nobody to compare. The interval is Newcombe's." }),
  revenue: z
    .record(
      z.string(),
      z.object({
        ...comparison,
        incremental_minor: z
          .number()
          .meta({ description: "What the campaign brought: the difference times the treated." }),
      }),
    )
    .meta({ description: "By currency; the interval by the normal distribution." }),
});

type Lift = z.infer<typeof liftSchema>;
type ArmRow = Pick<typeof campaignArms.$inferSelect, "arm" | "persons" | "buyers" | "revenue">;

/** What those who were written to did more than those who were held out; null where nobody was. */
export function judgeLift(rows: readonly ArmRow[]): Lift | null {
  if (!rows.some((row) => row.arm !== "treated")) return null;
  const [treated, holdout, mixed] = (["treated", "holdout", "mixed"] as const).map((arm) =>
    sumUp(rows.filter((row) => row.arm === arm)),
  ) as [Totals, Totals, Totals];
  const found = compareProportions(asProportion(holdout), asProportion(treated), EXPERIMENT_ALPHA);
  const base = holdout.buyers / holdout.persons;
  const currencies = new Set([treated, holdout].flatMap((one) => Object.keys(one.revenue)));
  const compared = [...currencies].toSorted().flatMap((currency) => {
    const by = compareMeans(amounts(holdout, currency), amounts(treated, currency), EXPERIMENT_ALPHA);
    return by ? [[currency, { ...by, incremental_minor: by.difference * treated.persons }] as const] : [];
  });
  return {
    treated: view(treated),
    holdout: view(holdout),
    mixed: mixed.persons,
    conversion: found ? { ...found, relative: base === 0 ? null : found.difference / base } : null,
    revenue: Object.fromEntries(compared),
  };
}

type Totals = Omit<ArmRow, "arm">;

function sumUp(rows: readonly ArmRow[]): Totals {
  const total: Totals = { persons: 0, buyers: 0, revenue: {} };
  for (const { persons, buyers, revenue: earned } of rows) {
    total.persons += persons;
    total.buyers += buyers;
    for (const [currency, { minor, squares }] of Object.entries(earned)) {
      const before = total.revenue[currency] ?? { minor: 0, squares: 0 };
      total.revenue[currency] = { minor: before.minor + minor, squares: before.squares + squares };
    }
  }
  return total;
}

function asProportion({ persons, buyers }: Totals) {
  return { persons, converted: buyers };
}

function amounts({ persons, revenue: earned }: Totals, currency: string) {
  const { minor = 0, squares = 0 } = earned[currency] ?? {};
  return { persons, sum: minor, squares };
}

function view({ persons, buyers, revenue: earned }: Totals): Lift["treated"] {
  const minors = Object.entries(earned).map(([currency, { minor }]) => [currency, minor]);
  return {
    persons,
    buyers,
    rate: persons === 0 ? null : buyers / persons,
    revenue: Object.fromEntries(minors) as Record<string, number>,
  };
}
