import { AppError } from "../../core/errors.ts";
import type { AdHocInput } from "../../core/contracts/ad-hoc.ts";
import type { EtlDeps } from "../etl/deps.ts";
import { answerLtvModel } from "../lifetime-value/answer-ltv-model.ts";
import { answerBacktest } from "../reports/answer-backtest.ts";
import { answerFunnel } from "../reports/answer-funnel.ts";

/** A warehouse is opened at its first use, for this question alone. */
export interface AnswererDeps extends EtlDeps {
  /** How much is done, from 0 to 1. */
  report(share: number): void;
}

/** Works out one kind of question; answers JSON. Throws `invalid` where the parameters are no such question. */
type Answerer = (deps: AnswererDeps, question: AdHocInput) => Promise<unknown>;

/** Who answers what. Another kind is one more line here. */
const ANSWERERS: Readonly<Record<string, Answerer>> = {
  backtest: (deps, { client_id, params }) => answerBacktest(deps, client_id, params),
  funnel: (deps, { client_id, params }) => answerFunnel(deps, client_id, params),
  ltv_model: ({ ctx }, { client_id, params }) => answerLtvModel(ctx.db, client_id, params),
};

export function answererOf(kind: string): Answerer {
  const found = Object.hasOwn(ANSWERERS, kind) ? ANSWERERS[kind] : undefined;
  if (!found) throw new AppError("invalid", `Nobody answers questions of the kind "${kind}".`);
  return found;
}
