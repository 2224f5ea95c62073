import { z } from "zod";

import { parse } from "../../core/parse.ts";
import type { Database } from "../../platform/postgres/database.ts";
import { fitModels } from "./fit-models.ts";
import { readCustomers } from "./read-customers.ts";

const ltvModelParams = z.object({ observed_until: z.iso.date(), currency: z.string().optional() });

const finite = z.number();
export const ltvModelSchema = z
  .object({
    observed_until: z.iso.date(),
    currency: z.string().nullable().meta({ description: "Of `gamma_gamma.v`; null where nobody spent any money." }),
    customers: z.int().meta({ description: "Who had bought by then, in any currency." }),
    bg_nbd: z
      .object({
        r: finite,
        alpha: finite,
        a: finite,
        b: finite,
        log_likelihood: finite,
        converged: z.boolean().meta({ description: "False where the data do not determine all of them." }),
      })
      .nullable()
      .meta({ description: "Null where nobody has bought on two days." }),
    gamma_gamma: z
      .object({ p: finite, q: finite, v: finite, log_likelihood: finite, converged: z.boolean() })
      .nullable()
      .meta({
        description: "`v` in the currency's major unit. Null where fewer than three spent money on a repeat day.",
      }),
    time_unit: z.literal("week"),
  })
  .meta({ id: "LtvModel" });

export type LtvModel = z.infer<typeof ltvModelSchema>;

/** The models as they would have been fitted after that day. The currency that most customers paid in where none is named. */
export async function answerLtvModel(db: Database, clientId: string, params: unknown): Promise<LtvModel> {
  const { observed_until, currency: wanted } = parse(ltvModelParams, params, "question");
  const { customers } = await db.transaction((tx) => readCustomers(tx, clientId, observed_until));
  const models = await fitModels(customers);
  const currency = wanted ?? findMainCurrency(customers.flatMap((one) => one.spending.map((spent) => spent.currency)));
  return {
    observed_until,
    currency,
    customers: customers.length,
    bg_nbd: models.bg_nbd,
    gamma_gamma: (currency !== null && models.gamma_gamma[currency]) || null,
    time_unit: "week",
  };
}

/** Named most often; the first by name of several. */
function findMainCurrency(named: readonly string[]): string | null {
  const counts = [...Map.groupBy(named, (currency) => currency)].map(([currency, all]) => ({
    currency,
    n: all.length,
  }));
  const [most] = counts.toSorted((a, b) => b.n - a.n || (a.currency < b.currency ? -1 : 1));
  return most?.currency ?? null;
}
