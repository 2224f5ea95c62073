import { type BgNbd, probabilityAlive } from "./bg-nbd.ts";
import { meanOverBeta } from "./mean-over-beta.ts";
import type { PurchaseSummary } from "./purchase-summary.ts";

/** Beyond these the series takes long, or its terms grow and cancel each other: then the integral is the better way. */
const FAR = 0.99;
const ALTERNATING = 10;
const GROWING = 50;
const MOST_TERMS = 20_000;

/** How many purchase days to expect of the customer in the next `weeks`. */
export function expectedPurchases(model: BgNbd, summary: PurchaseSummary, weeks: number): number {
  return probabilityAlive(model, summary) * expectedWhileAlive(model, summary, weeks);
}

/** The same of one who has not left. */
export function expectedWhileAlive(model: BgNbd, summary: PurchaseSummary, weeks: number): number {
  if (weeks <= 0) return 0;
  const { r, alpha, a, b } = model;
  const past = alpha + summary.age;
  const z = weeks / (past + weeks);
  const isTame = z < FAR && (r + 1 - a - b) * z < ALTERNATING && a * Math.log1p(weeks / past) < GROWING;
  return isTame ? expectedBySeries(model, summary, weeks) : expectedByIntegral(model, summary, weeks);
}

/**
 * The published form is
 *
 *     (a + b + x − 1) / (a − 1) · [1 − (1 − z)^(r + x) · ₂F₁(r + x, b + x; a + b + x − 1; z)],  z = t / (α + T + t)
 *
 * which is 0/0 at a = 1 and overflows for those who buy often. Euler's transformation makes the bracket
 * 1 − (1 − z)^(a − 1) · ₂F₁(a + b − 1 − r, a − 1; a + b + x − 1; z), whose series has a − 1 and 1 / (a + b + x − 1) in
 * every term but the first: both are divided out by hand, so that nothing is left that could vanish.
 */
export function expectedBySeries({ r, alpha, a, b }: BgNbd, summary: PurchaseSummary, weeks: number): number {
  const { frequency: x, age } = summary;
  const c = a + b + x - 1;
  const d = a + b - 1 - r;
  const z = weeks / (alpha + age + weeks);
  const logRest = -Math.log1p(weeks / (alpha + age));
  const power = (a - 1) * logRest;
  const first = -logRest * (power === 0 ? 1 : Math.expm1(power) / power);
  let term = d * z;
  let sum = term;
  for (let n = 1; n < MOST_TERMS && Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= ((d + n) * (a + n - 1) * z) / ((c + n) * (n + 1));
    sum += term;
  }
  return Math.max(0, c * first - Math.exp(power) * sum);
}

/** Given p, the rate integrates out by hand: (1 − (1 + p t / (α + T))^−(r + x)) / p. What is left is a mean over p. */
export function expectedByIntegral({ r, alpha, a, b }: BgNbd, summary: PurchaseSummary, weeks: number): number {
  const { frequency: x, age } = summary;
  const share = weeks / (alpha + age);
  const given = (p: number) => (p === 0 ? (r + x) * share : -Math.expm1(-(r + x) * Math.log1p(p * share)) / p);
  return meanOverBeta(given, a, b + x);
}
