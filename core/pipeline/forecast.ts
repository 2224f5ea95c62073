import { betaQuantile } from "./beta.ts";
import type { PipelineCount } from "./count-stages.ts";
import type { StageOutlook } from "./win-chain.ts";

/** How sure intervals are: nine times of ten it lies within. */
export const FORECAST_LEVEL = 0.9;
/** Less variance than this is that of one deal: all or nothing. */
const ALL_OR_NOTHING = 1e-9;

export interface Expected {
  /** Of all open deals, in minor units. */
  open: number;
  expected: number;
  low: number;
  high: number;
}

export interface Forecast {
  /** How many of the open deals will be won within the horizon. */
  deals: Expected;
  /** What they will bring, by currency. */
  amounts: Record<string, Expected>;
}

/** Of the chance itself, as a Beta with the outlook's mean and strength. */
export function chanceInterval(chance: number, strength: number): { low: number; high: number } {
  const [a, b] = [chance * strength, (1 - chance) * strength];
  const tail = (1 - FORECAST_LEVEL) / 2;
  return { low: betaQuantile(tail, a, b), high: betaQuantile(1 - tail, a, b) };
}

/** What open deals will bring within the horizon, as they are worth now. */
export function forecastDeals(openDeals: PipelineCount["openDeals"], outlooks: readonly StageOutlook[]): Forecast {
  const currencies = new Set(openDeals.flatMap(({ currency }) => (currency === null ? [] : [currency])));
  const amounts = [...currencies].toSorted().map((currency): [string, Expected] => {
    const ofCurrency = openDeals.filter((deal) => deal.currency === currency);
    return [
      currency,
      sumUp(
        ofCurrency.map(({ stage, amount_minor }) => ({ stage, worth: amount_minor ?? 0 })),
        outlooks,
      ),
    ];
  });
  return {
    deals: sumUp(
      openDeals.map(({ stage }) => ({ stage, worth: 1 })),
      outlooks,
    ),
    amounts: Object.fromEntries(amounts),
  };
}

/**
 * The sum of what each deal is worth if it is won. Deals of a stage share a chance that is not known better than a Beta with the
 * outlook's mean u and strength m, and are won or not each by itself: with S the sum of their worths and S₂ that of the squares the
 * variance is S₂·u(1 − u)·m/(m + 1) + S²·u(1 − u)/(m + 1). The interval is that of a Beta of the same mean and variance between
 * nothing and everything.
 */
function sumUp(deals: readonly { stage: number; worth: number }[], outlooks: readonly StageOutlook[]): Expected {
  let [mean, variance, open] = [0, 0, 0];
  for (const [stage, ofStage] of Map.groupBy(deals, (deal) => deal.stage)) {
    const { winWithin: u, strength: m } = outlooks[stage]!;
    const sum = ofStage.reduce((total, { worth }) => total + worth, 0);
    const squares = ofStage.reduce((total, { worth }) => total + worth ** 2, 0);
    open += sum;
    mean += sum * u;
    variance += ((squares * m + sum ** 2) * u * (1 - u)) / (m + 1);
  }
  if (open === 0) return { open, expected: 0, low: 0, high: 0 };
  return { open, expected: mean, ...intervalOf(mean / open, variance / open ** 2, open) };
}

function intervalOf(mean: number, variance: number, open: number): { low: number; high: number } {
  if (variance <= 0) return { low: mean * open, high: mean * open };
  const tail = (1 - FORECAST_LEVEL) / 2;
  const strength = (mean * (1 - mean)) / variance - 1;
  if (strength < ALL_OR_NOTHING) {
    return { low: 1 - mean >= tail ? 0 : open, high: mean >= tail ? open : 0 };
  }
  const quantile = (chance: number) => betaQuantile(chance, mean * strength, (1 - mean) * strength) * open;
  return { low: quantile(tail), high: quantile(1 - tail) };
}
