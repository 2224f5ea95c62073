import { logGamma } from "../lifetime-value/gamma-function.ts";

const MAX_TERMS = 20_000;
const EPSILON = 1e-15;
/** So that nothing is divided by zero. */
const TINY = 1e-300;

/** The chance that a Beta(a, b) is at most x: the regularised incomplete beta function, a, b > 0. */
export function betaBelow(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const logFront = logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x);
  const front = Math.exp(logFront);
  // The fraction converges fast on this side of the mean only.
  return x < (a + 1) / (a + b + 2) ? (front * fraction(x, a, b)) / a : 1 - (front * fraction(1 - x, b, a)) / b;
}

/** The x below which a Beta(a, b) lies with this chance; a Beta(0, b) is 0, a Beta(a, 0) is 1. */
export function betaQuantile(chance: number, a: number, b: number): number {
  if (a <= 0) return 0;
  if (b <= 0) return 1;
  let [low, high] = [0, 1];
  for (let halving = 0; halving < 60; halving++) {
    const middle = (low + high) / 2;
    if (betaBelow(middle, a, b) < chance) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz' method. */
function fraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let product = d;
  for (let m = 1; m < MAX_TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / awayFromZero(1 + even * d);
    c = awayFromZero(1 + even / c);
    product *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / awayFromZero(1 + odd * d);
    c = awayFromZero(1 + odd / c);
    product *= d * c;
    if (Math.abs(d * c - 1) < EPSILON) break;
  }
  return product;
}

/** Jeffreys' interval for a share of which only this has been seen. */
export function shareInterval(part: number, whole: number, level: number): { low: number; high: number } {
  const tail = (1 - level) / 2;
  return {
    low: part === 0 ? 0 : betaQuantile(tail, part + 0.5, whole - part + 0.5),
    high: part === whole ? 1 : betaQuantile(1 - tail, part + 0.5, whole - part + 0.5),
  };
}

function awayFromZero(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}
