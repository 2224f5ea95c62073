import { type Amounts, type Interval, meanOf, type Proportion, varianceOf } from "./compare.ts";

/** What is known of a difference at one moment. */
export interface Standing {
  difference: number;
  standardError: number;
  control: number;
  treated: number;
  /** Whether enough has happened for the normal distribution to be near. */
  isReady: boolean;
}

/** The effect that is looked for, in standard deviations of one person: where the sequence is about tightest. */
export const MIXTURE_SD = 0.05;
/** Of what is rarer, conversions or none, as many are to be expected on each side before anything is said. */
const FEWEST_PROPORTION = 10;
/** Sums have longer tails. */
const FEWEST_AMOUNT = 50;

export function standingOfProportions(control: Proportion, treated: Proportion): Standing {
  const persons = control.persons + treated.persons;
  const rarer = Math.min(control.converted + treated.converted, persons - control.converted - treated.converted);
  const fewer = Math.min(control.persons, treated.persons);
  return {
    difference: treated.converted / treated.persons - control.converted / control.persons,
    standardError: Math.sqrt(smoothVariance(control) + smoothVariance(treated)),
    control: control.persons,
    treated: treated.persons,
    isReady: persons > 0 && (rarer / persons) * fewer >= FEWEST_PROPORTION,
  };
}

/** `earners`: of both, who brought anything. */
export function standingOfMeans(control: Amounts, treated: Amounts, earners: number): Standing {
  const persons = control.persons + treated.persons;
  const fewer = Math.min(control.persons, treated.persons);
  return {
    difference: meanOf(treated) - meanOf(control),
    standardError: Math.sqrt(varianceOf(control) / control.persons + varianceOf(treated) / treated.persons),
    control: control.persons,
    treated: treated.persons,
    isReady: fewer > 1 && (earners / persons) * fewer >= FEWEST_AMOUNT,
  };
}

/** Of the rate, with one conversion and one other person more than there were, so that 0 of 10 is not taken for certain. */
function smoothVariance({ persons, converted }: Proportion): number {
  const rate = (converted + 1) / (persons + 2);
  return (rate * (1 - rate)) / persons;
}

/**
 * The mixture sequential probability ratio test with a normal mixture: the likelihood ratio of "no difference" against differences
 * drawn from N(0, (MIXTURE_SD · σ)²). Its inverse stays above alpha at all times together with probability 1 − alpha, so that
 * it may be looked at whenever one likes and stopped when one likes: R. Johari, P. Koomen, L. Pekelis, D. Walsh, "Always Valid Inference:
 * Continuous Monitoring of A/B Tests", Operations Research 70(3), 2022 (arXiv:1512.04922), section 5. With estimated variances this
 * holds as in I. Waudby-Smith, D. Arbour, R. Sinha, E. Kennedy, A. Ramdas, "Time-uniform central limit theory and asymptotic confidence
 * sequences", Annals of Statistics 52(6), 2024: in the limit, hence `isReady`. Answers p for this moment alone, at most 1.
 */
export function alwaysValidP(standing: Standing): number {
  if (!isTelling(standing)) return 1;
  const r = informationOf(standing);
  const z = standing.difference / standing.standardError;
  return Math.min(1, Math.sqrt(1 + r) * Math.exp(((-z * z) / 2) * (r / (1 + r))));
}

/** The confidence sequence that belongs to it: all differences that the test does not reject. Undefined before there is enough to tell. */
export function confidenceSequence(standing: Standing, alpha: number): Interval | undefined {
  if (!isTelling(standing)) return undefined;
  const r = informationOf(standing);
  const reach = Math.sqrt(((2 * (1 + r)) / r) * (Math.log(1 / alpha) + Math.log1p(r) / 2));
  const margin = reach * standing.standardError;
  return { low: standing.difference - margin, high: standing.difference + margin };
}

export interface SequentialResult {
  /** The smallest so far: it never grows again. */
  p_value: number;
  /** As of the last moment. */
  interval: Interval | undefined;
  /** Of the difference, at the first moment at which p was at most alpha; 0 where it never was. */
  sign: number;
}

/** Of a difference over time, oldest first. */
export function followSequence(standings: readonly Standing[], alpha: number): SequentialResult {
  let p_value = 1;
  let sign = 0;
  for (const standing of standings) {
    p_value = Math.min(p_value, alwaysValidP(standing));
    if (sign === 0 && p_value <= alpha) sign = Math.sign(standing.difference);
  }
  const last = standings.at(-1);
  return { p_value, interval: last && confidenceSequence(last, alpha), sign };
}

function isTelling({ isReady, standardError }: Standing): boolean {
  return isReady && standardError > 0 && Number.isFinite(standardError);
}

/** The mixture's variance by that of the difference. Of the numbers of people alone, so that it is not drawn by what they did. */
function informationOf({ control, treated }: Standing): number {
  return (MIXTURE_SD ** 2 * control * treated) / (control + treated);
}
