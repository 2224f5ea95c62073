import { criticalZ, twoSidedP } from "./normal.ts";

/** Of people, how many did it. */
export interface Proportion {
  persons: number;
  converted: number;
}

/** What people brought: the sum over them, and the sum of each one's square. Who brought nothing is among `persons`. */
export interface Amounts {
  persons: number;
  sum: number;
  squares: number;
}

export interface Interval {
  low: number;
  high: number;
}

export interface Comparison {
  /** Treated less control. */
  difference: number;
  interval: Interval;
  /** Two-sided, for one look at the planned end: looking again and again makes it too small (see sequential.ts). */
  p_value: number;
}

/** Wilson's score interval for a proportion (JASA 22, 1927): within [0, 1], and honest for 0 of n. */
export function wilsonInterval({ persons, converted }: Proportion, alpha: number): Interval {
  if (persons === 0) return { low: 0, high: 1 };
  const z2 = criticalZ(alpha) ** 2;
  const middle = (converted + z2 / 2) / (persons + z2);
  const spread = Math.sqrt(z2 * ((converted * (persons - converted)) / persons + z2 / 4)) / (persons + z2);
  // At the ends it is exact; the sum would miss it by a rounding.
  return {
    low: converted === 0 ? 0 : Math.max(0, middle - spread),
    high: converted === persons ? 1 : Math.min(1, middle + spread),
  };
}

/**
 * The two-proportion z-test: p by the pooled variance, as it holds when both are the same. The interval is Newcombe's hybrid of
 * two Wilson intervals (method 10 in Statistics in Medicine 17, 1998), which keeps its level with few people and never leaves [-1, 1];
 * near its edge it may disagree with p. Undefined where nobody is in one of them.
 */
export function compareProportions(control: Proportion, treated: Proportion, alpha: number): Comparison | undefined {
  if (control.persons === 0 || treated.persons === 0) return undefined;
  const [a, b] = [control, treated].map((one) => one.converted / one.persons) as [number, number];
  const pooled = (control.converted + treated.converted) / (control.persons + treated.persons);
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / control.persons + 1 / treated.persons));
  const [ofA, ofB] = [wilsonInterval(control, alpha), wilsonInterval(treated, alpha)];
  const difference = b - a;
  return {
    difference,
    interval: {
      low: difference - Math.hypot(b - ofB.low, ofA.high - a),
      high: difference + Math.hypot(ofB.high - b, a - ofA.low),
    },
    p_value: error === 0 ? 1 : twoSidedP(difference / error),
  };
}

/**
 * The difference of two means with unequal variances, by the normal distribution: for hundreds of people, not for ten. Undefined where
 * somebody alone is in one of them.
 */
export function compareMeans(control: Amounts, treated: Amounts, alpha: number): Comparison | undefined {
  if (control.persons < 2 || treated.persons < 2) return undefined;
  const difference = meanOf(treated) - meanOf(control);
  const error = Math.sqrt(varianceOf(control) / control.persons + varianceOf(treated) / treated.persons);
  const margin = criticalZ(alpha) * error;
  return {
    difference,
    interval: { low: difference - margin, high: difference + margin },
    p_value: error === 0 ? Number(difference === 0) : twoSidedP(difference / error),
  };
}

export function meanOf({ sum, persons }: Amounts): number {
  return sum / persons;
}

/** Of a sample: over one less than there are. */
export function varianceOf({ sum, squares, persons }: Amounts): number {
  return Math.max(0, squares - sum ** 2 / persons) / (persons - 1);
}
