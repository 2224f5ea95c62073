import type { EtlPage, EtlPageInput, EtlScope } from "../../core/contracts/etl.ts";
import { aggregateWhole } from "./aggregate-day.ts";
import { assertBuilt } from "./attempt-build.ts";
import type { EtlDeps } from "./deps.ts";
import { curatePage, daysPage, linksStep, PAGE, repeatsStep, stagePage, type StepOptions } from "./steps.ts";

export interface EtlSummary {
  staged: number;
  curated: number;
  days: number;
  whole: number;
}

/** All steps in a row, in this process: what the workflow does by activities. `onStep` hears of each that is done. */
export async function runEtl(
  deps: EtlDeps,
  scope: EtlScope,
  options = PAGE,
  onStep: (step: string) => void = () => {},
): Promise<EtlSummary> {
  const staged = await eachPage(deps, scope, stagePage, options);
  onStep("ids");
  await repeatsStep(deps, scope);
  onStep("repeats");
  const curated = await eachPage(deps, scope, curatePage, options);
  onStep("curate");
  await linksStep(deps, scope);
  onStep("links");
  const days = await eachPage(deps, scope, daysPage, options);
  onStep("days");
  const whole = await aggregateWhole(deps, scope.client_id);
  onStep("whole");
  return { staged, curated, days, whole };
}

async function eachPage(
  deps: EtlDeps,
  scope: EtlScope,
  step: (deps: EtlDeps, input: EtlPageInput, options: StepOptions) => Promise<EtlPage>,
  options: StepOptions,
): Promise<number> {
  let done = 0;
  let after: string | null | undefined;
  do {
    const page = await step(deps, { ...scope, ...(after && { after }) }, options);
    assertBuilt(page.checks);
    done += page.done;
    after = page.after;
  } while (after !== null);
  return done;
}
