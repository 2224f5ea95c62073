import { digamma, logGamma } from "./gamma-function.ts";
import { maximise } from "./log-parameters.ts";
import type { Slope } from "./minimise.ts";

/**
 * Gamma-Gamma (Fader and Hardie 2013): what a customer spends varies round a mean of their own (shape p), and the means vary
 * between customers (q, v). `v` is in the unit of the revenues; p and q have none.
 */
export interface GammaGamma {
  p: number;
  q: number;
  v: number;
}

export interface GammaGammaFit extends GammaGamma {
  log_likelihood: number;
  /** False where the data leave a parameter open: all spend the same, say. */
  converged: boolean;
}

/** What a customer spent on repeat days: on how many, and how much on average (more than 0). */
export interface Spending {
  frequency: number;
  mean: number;
}

/** Customers who spent the same are counted, not repeated. */
interface WeightedSpending extends Spending {
  logMean: number;
  count: number;
}

/** Learns from those with repeat purchases only. Null where fewer than three customers have any: there is nothing to compare. */
export function fitGammaGamma(customers: readonly Spending[]): GammaGammaFit | null {
  const rows = countAlike(customers);
  const spenders = rows.reduce((sum, row) => sum + row.count, 0);
  if (spenders < 3) return null;
  const average = rows.reduce((sum, row) => sum + row.count * row.mean, 0) / spenders;
  const best = maximise(
    (at) => {
      const { value, gradient } = slopeOfSpending(toModel(at), rows);
      return { value: value / spenders, gradient: gradient.map((g) => g / spenders) };
    },
    [
      [2, 3, average],
      [8, 4, average / 2],
      [0.7, 1.5, average],
    ],
  );
  return { ...toModel(best.parameters), log_likelihood: best.value * spenders, converged: best.converged };
}

/**
 * What the customer will spend on average on a purchase day. Nearer to their own mean the more often they bought; of one
 * who never came back the mean of all. Null where that mean is infinite (q ≤ 1): the data say nothing of it.
 */
export function expectedAverageValue({ p, q, v }: GammaGamma, { frequency: x, mean }: Spending): number | null {
  const below = p * x + q - 1;
  return below > 0 ? (p * (v + (x > 0 ? mean * x : 0))) / below : null;
}

/** The log-likelihood of all and its gradient by p, q and v. */
export function slopeOfSpending({ p, q, v }: GammaGamma, rows: readonly WeightedSpending[]): Slope {
  const logV = Math.log(v);
  const [gammaQ, slopeQ] = [logGamma(q), digamma(q)];
  let [value, byP, byQ, byV] = [0, 0, 0, 0];
  // Rows come sorted: what depends on the frequency alone is reckoned once for each.
  let last = 0;
  let [gammaX, slopeX, slopeXQ] = [0, 0, 0];
  for (const { frequency: x, mean, logMean, count } of rows) {
    if (x !== last) {
      gammaX = logGamma(p * x + q) - logGamma(p * x) - gammaQ + p * x * Math.log(x);
      slopeXQ = digamma(p * x + q);
      slopeX = x * (slopeXQ - digamma(p * x) + Math.log(x));
      last = x;
    }
    const total = v + mean * x;
    const logTotal = Math.log(total);
    value += count * (gammaX + q * logV + (p * x - 1) * logMean - (p * x + q) * logTotal);
    byP += count * (slopeX + x * (logMean - logTotal));
    byQ += count * (slopeXQ - slopeQ + logV - logTotal);
    byV += count * (q / v - (p * x + q) / total);
  }
  return { value, gradient: [byP, byQ, byV] };
}

/**
 * Those with repeat purchases, and how many spent just so. Sums of floating-point numbers depend on their order: the same customers in
 * another order must give the same model to the last digit.
 */
export function countAlike(customers: readonly Spending[]): WeightedSpending[] {
  const rows: WeightedSpending[] = [];
  const spenders = customers
    .filter(({ frequency, mean }) => frequency > 0 && mean > 0)
    .toSorted((one, other) => one.frequency - other.frequency || one.mean - other.mean);
  for (const { frequency, mean } of spenders) {
    const last = rows.at(-1);
    if (last?.frequency === frequency && last.mean === mean) last.count++;
    else rows.push({ frequency, mean, logMean: Math.log(mean), count: 1 });
  }
  return rows;
}

function toModel([p, q, v]: readonly number[]): GammaGamma {
  return { p: p!, q: q!, v: v! };
}
