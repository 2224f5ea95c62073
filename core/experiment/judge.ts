import {
  type Amounts,
  compareMeans,
  compareProportions,
  type Comparison,
  type Interval,
  meanOf,
  wilsonInterval,
} from "./compare.ts";
import type { ExperimentMetric, ExperimentVariant } from "./definition.ts";
import { checkSampleRatio, type SampleRatio } from "./sample-ratio.ts";
import { followSequence, type Standing, standingOfMeans, standingOfProportions } from "./sequential.ts";

/** People whose first exposure was on one day to one variant. */
export interface VariantDay {
  day: string;
  variant: string;
  persons: number;
  converted: number;
  /** By currency: who earned anything, what in minor units, and the sum of each one's square. */
  earned: Readonly<Record<string, { persons: number; minor: number; squares: number }>>;
}

export const EXPERIMENT_ALPHA = 0.05;

export type Verdict = "better" | "worse" | "undecided" | "not_trusted";

export interface VariantResult {
  variant: string;
  is_control: boolean;
  share: number;
  exposed: number;
  converted: number;
  /** Null where nobody was exposed. */
  rate: number | null;
  rate_interval: Interval;
  /** Minor units by currency. */
  revenue: Record<string, number>;
  /** Minor units of the metric's currency; null where the metric is no revenue, or nobody was exposed. */
  revenue_per_person: number | null;
  /** Null for the control, and where there is nobody to compare. */
  comparison: (Comparison & { relative: number | null; sequential: Sequential }) | null;
}

interface Sequential {
  p_value: number;
  /** Null until enough has happened. */
  interval: Interval | null;
  verdict: Verdict;
}

export interface ExperimentResult {
  /** Of each comparison: the whole experiment's, shared out among them (Bonferroni). */
  alpha: number;
  variants: VariantResult[];
  sample_ratio: SampleRatio;
}

interface Totals {
  persons: number;
  converted: number;
  earned: Record<string, { persons: number; minor: number; squares: number }>;
}

/** Variants in the order of their declaration, each compared with the control by the metric. */
export function judgeExperiment(
  { variants, metric }: { variants: readonly ExperimentVariant[]; metric: ExperimentMetric },
  days: readonly VariantDay[],
): ExperimentResult {
  const alpha = EXPERIMENT_ALPHA / (variants.length - 1);
  const totals = new Map(variants.map(({ name }) => [name, sumUp(days.filter((day) => day.variant === name))]));
  const sample_ratio = checkSampleRatio(
    variants.map(({ name, share }) => ({ persons: totals.get(name)!.persons, share })),
  );
  const control = variants.find((one) => one.is_control)!;
  return {
    alpha,
    sample_ratio,
    variants: variants.map(({ name, share, is_control }) => {
      const total = totals.get(name)!;
      return {
        variant: name,
        is_control,
        share,
        exposed: total.persons,
        converted: total.converted,
        rate: total.persons === 0 ? null : total.converted / total.persons,
        rate_interval: wilsonInterval(total, EXPERIMENT_ALPHA),
        revenue: Object.fromEntries(Object.entries(total.earned).map(([currency, { minor }]) => [currency, minor])),
        revenue_per_person:
          metric.type === "revenue" && total.persons > 0 ? meanOf(amountsOf(total, metric.currency)) : null,
        comparison: is_control
          ? null
          : compare(
              { metric, alpha, control: totals.get(control.name)!, treated: total, isTrusted: sample_ratio.is_ok },
              () => standingsOf(metric, days, control.name, name),
            ),
      };
    }),
  };
}

interface Compared {
  metric: ExperimentMetric;
  alpha: number;
  control: Totals;
  treated: Totals;
  isTrusted: boolean;
}

function compare(
  { metric, alpha, control, treated, isTrusted }: Compared,
  standings: () => Standing[],
): VariantResult["comparison"] {
  const isRevenue = metric.type === "revenue";
  const [a, b] = isRevenue ? [control, treated].map((one) => amountsOf(one, metric.currency)) : [];
  const compared = a && b ? compareMeans(a, b, alpha) : compareProportions(control, treated, alpha);
  if (compared === undefined) return null;
  const base = a ? meanOf(a) : control.converted / control.persons;
  const { p_value, interval, sign } = followSequence(standings(), alpha);
  const verdict: Verdict = !isTrusted ? "not_trusted" : sign > 0 ? "better" : sign < 0 ? "worse" : "undecided";
  const within =
    interval && !isRevenue ? { low: Math.max(-1, interval.low), high: Math.min(1, interval.high) } : interval;
  return {
    ...compared,
    relative: base === 0 ? null : compared.difference / base,
    sequential: { p_value, interval: within ?? null, verdict },
  };
}

/** How the two stood at the end of each day. */
function standingsOf(
  metric: ExperimentMetric,
  days: readonly VariantDay[],
  control: string,
  treated: string,
): Standing[] {
  const byDay = Map.groupBy(
    days.filter(({ variant }) => variant === control || variant === treated),
    (row) => row.day,
  );
  let [a, b] = [sumUp([]), sumUp([])];
  return [...byDay.keys()].toSorted().flatMap((day) => {
    const rows = byDay.get(day)!;
    a = sumUp([a, ...rows.filter((row) => row.variant === control)]);
    b = sumUp([b, ...rows.filter((row) => row.variant === treated)]);
    if (a.persons < 2 || b.persons < 2) return [];
    if (metric.type === "conversion") return [standingOfProportions(a, b)];
    const earners = [a, b].reduce((sum, one) => sum + (one.earned[metric.currency]?.persons ?? 0), 0);
    return [standingOfMeans(amountsOf(a, metric.currency), amountsOf(b, metric.currency), earners)];
  });
}

function sumUp(rows: readonly Pick<VariantDay, "persons" | "converted" | "earned">[]): Totals {
  const total: Totals = { persons: 0, converted: 0, earned: {} };
  for (const { persons, converted, earned } of rows) {
    total.persons += persons;
    total.converted += converted;
    for (const [currency, more] of Object.entries(earned)) {
      const { persons: n, minor, squares } = total.earned[currency] ?? { persons: 0, minor: 0, squares: 0 };
      total.earned[currency] = {
        persons: n + more.persons,
        minor: minor + more.minor,
        squares: squares + more.squares,
      };
    }
  }
  return total;
}

function amountsOf({ persons, earned }: Totals, currency: string): Amounts {
  const { minor = 0, squares = 0 } = earned[currency] ?? {};
  return { persons, sum: minor, squares };
}
