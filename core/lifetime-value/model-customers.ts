import { type BgNbdFit, fitBgNbd } from "./bg-nbd.ts";
import { expectedAverageValue, fitGammaGamma, type GammaGammaFit } from "./gamma-gamma.ts";
import { DEFAULT_HORIZON, type Horizon, lookAhead, type Outlook } from "./predicted-value.ts";
import type { PurchaseSummary } from "./purchase-summary.ts";

/** What a customer spent in one currency on repeat days. */
export interface CurrencySpending {
  currency: string;
  frequency: number;
  /** In the currency's major unit; 0 where `frequency` is. */
  mean: number;
  /** Of all purchase days of the customer those in this currency. */
  share: number;
}

export interface Customer extends PurchaseSummary {
  spending: readonly CurrencySpending[];
}

/** What is to be expected of a customer in one currency within the horizon. */
export interface Prospect {
  currency: string;
  /** Of a purchase day; null where nothing tells it. */
  average: number | null;
  value: number | null;
}

export interface CustomerModels {
  bg_nbd: BgNbdFit | null;
  /** By currency; null where too few spent anything twice. */
  gamma_gamma: Record<string, GammaGammaFit | null>;
  /** In the customers' order; null without a model. */
  outlooks: (Outlook | null)[];
  prospects: Prospect[][];
}

/** Fits both models to all customers and applies them to each: how often they come by BG/NBD, what they spend by Gamma-Gamma. */
export function modelCustomers(customers: readonly Customer[], horizon: Horizon = DEFAULT_HORIZON): CustomerModels {
  const bg_nbd = fitBgNbd(customers);
  const outlooks = bg_nbd === null ? customers.map(() => null) : lookAheadForAll(bg_nbd, customers, horizon);
  const byCurrency = Map.groupBy(
    customers.flatMap((customer) => customer.spending),
    (spending) => spending.currency,
  );
  const gamma_gamma = Object.fromEntries([...byCurrency].map(([currency, all]) => [currency, fitGammaGamma(all)]));
  const prospects = customers.map(({ spending }, i) =>
    spending.map((one): Prospect => {
      const model = gamma_gamma[one.currency];
      const average = model ? expectedAverageValue(model, one) : null;
      const outlook = outlooks[i];
      const value = average === null || !outlook ? null : outlook.discounted_purchases * one.share * average;
      return { currency: one.currency, average, value };
    }),
  );
  return { bg_nbd, gamma_gamma, outlooks, prospects };
}

/** Many look the same, and looking ahead takes up to a millisecond. */
function lookAheadForAll(model: BgNbdFit, customers: readonly PurchaseSummary[], horizon: Horizon): Outlook[] {
  const known = new Map<string, Outlook>();
  return customers.map((customer) => {
    const key = `${customer.frequency} ${customer.recency} ${customer.age}`;
    const outlook = known.get(key) ?? lookAhead(model, customer, horizon);
    known.set(key, outlook);
    return outlook;
  });
}
