import { maximise } from "./log-parameters.ts";
import type { Slope } from "./minimise.ts";
import type { PurchaseSummary } from "./purchase-summary.ts";

/**
 * BG/NBD (Fader, Hardie and Lee 2005): while they are customers people buy at random at a rate of their own, gamma-distributed
 * (r, alpha); after each purchase they leave with a probability of their own, beta-distributed (a, b). Time unit: week.
 */
export interface BgNbd {
  r: number;
  alpha: number;
  a: number;
  b: number;
}

export interface BgNbdFit extends BgNbd {
  log_likelihood: number;
  /** False where the data leave a parameter open (all leave at once, or nobody ever does, say): predictions hold all the same. */
  converged: boolean;
}

/** Customers who look the same are counted, not repeated. */
export interface WeightedSummary extends PurchaseSummary {
  count: number;
}

/** Null where nobody has bought twice, or where all were first seen today: there is nothing to learn from. */
export function fitBgNbd(summaries: readonly PurchaseSummary[]): BgNbdFit | null {
  const rows = countAlike(summaries);
  const customers = summaries.length;
  const meanAge = rows.reduce((sum, row) => sum + row.count * row.age, 0) / customers;
  if (!rows.some((row) => row.frequency > 0) || !(meanAge > 0)) return null;
  const best = maximise(
    (at) => {
      const { value, gradient } = slopeOf(toModel(at), rows);
      return { value: value / customers, gradient: gradient.map((g) => g / customers) };
    },
    [
      [1, meanAge / 2, 1, 1],
      [0.3, meanAge / 5, 0.5, 2],
      [2, meanAge, 0.2, 4],
    ],
  );
  return { ...toModel(best.parameters), log_likelihood: best.value * customers, converged: best.converged };
}

/** The log-likelihood of what was seen of one customer. */
export function logLikelihood(model: BgNbd, summary: PurchaseSummary): number {
  return slopeOf(model, [{ ...summary, count: 1 }]).value;
}

/** The probability that the customer has not left. */
export function probabilityAlive({ r, alpha, a, b }: BgNbd, { frequency: x, recency, age }: PurchaseSummary): number {
  if (x === 0) return 1;
  const odds = Math.log(a) - Math.log(b + x - 1) + (r + x) * Math.log((alpha + age) / (alpha + recency));
  return 1 / (1 + Math.exp(odds));
}

/** The log-likelihood of all and its gradient by r, alpha, a and b. */
export function slopeOf(model: BgNbd, rows: readonly WeightedSummary[]): Slope {
  const { r, alpha, a, b } = model;
  const most = rows.reduce((max, row) => Math.max(max, row.frequency), 0);
  const [ofR, ofB, ofAB] = [risingProduct(r, most), risingProduct(b, most), risingProduct(a + b, most)];
  const logAlpha = Math.log(alpha);
  let [value, byR, byAlpha, byA, byB] = [0, 0, 0, 0, 0];
  for (const { frequency: x, recency, age, count } of rows) {
    const logAge = Math.log(alpha + age);
    if (x === 0) {
      value += count * r * (logAlpha - logAge);
      byR += count * (logAlpha - logAge);
      byAlpha += count * r * (1 / alpha - 1 / (alpha + age));
      continue;
    }
    const logRecency = Math.log(alpha + recency);
    const stayed = -(r + x) * logAge;
    const left = Math.log(a / (b + x - 1)) - (r + x) * logRecency;
    const more = Math.max(stayed, left);
    const either = more + Math.log1p(Math.exp(Math.min(stayed, left) - more));
    const hasLeft = Math.exp(left - either);
    const hasStayed = Math.exp(stayed - either);
    value += count * (ofR.log[x]! + r * logAlpha + ofB.log[x]! - ofAB.log[x]! + either);
    byR += count * (ofR.slope[x]! + logAlpha - hasStayed * logAge - hasLeft * logRecency);
    byAlpha += count * (r / alpha - (r + x) * (hasStayed / (alpha + age) + hasLeft / (alpha + recency)));
    byA += count * (hasLeft / a - ofAB.slope[x]!);
    byB += count * (ofB.slope[x]! - ofAB.slope[x]! - hasLeft / (b + x - 1));
  }
  return { value, gradient: [byR, byAlpha, byA, byB] };
}

/** The logarithm of Γ(c + x) / Γ(c), and its derivative by c, for each x up to `most`: sums, because x counts. */
function risingProduct(c: number, most: number): { log: Float64Array; slope: Float64Array } {
  const log = new Float64Array(most + 1);
  const slope = new Float64Array(most + 1);
  for (let x = 0; x < most; x++) {
    log[x + 1] = log[x]! + Math.log(c + x);
    slope[x + 1] = slope[x]! + 1 / (c + x);
  }
  return { log, slope };
}

function countAlike(summaries: readonly PurchaseSummary[]): WeightedSummary[] {
  const rows = new Map<string, WeightedSummary>();
  for (const { frequency, recency, age } of summaries) {
    const key = `${frequency} ${recency} ${age}`;
    const known = rows.get(key);
    if (known) known.count += 1;
    else rows.set(key, { frequency, recency, age, count: 1 });
  }
  // Sums of floating-point numbers depend on their order: the same customers in another order must give the same model.
  return [...rows.values()].toSorted(
    (one, other) => one.frequency - other.frequency || one.recency - other.recency || one.age - other.age,
  );
}

function toModel([r, alpha, a, b]: readonly number[]): BgNbd {
  return { r: r!, alpha: alpha!, a: a!, b: b! };
}
