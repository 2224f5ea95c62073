import { carriedOutThenTimedOut } from "./faults/carried-out-then-timed-out.ts";
import { killNine } from "./faults/kill-nine.ts";
import { partialPutRecords } from "./faults/partial-put-records.ts";
import type { Scenario } from "./scenario.ts";

/** In the order of their worth. */
export const SCENARIOS: readonly Scenario[] = [...killNine, partialPutRecords, ...carriedOutThenTimedOut];

/** Throws, with all names, where there is none of this name. */
export function findScenario(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found) return found;
  throw new Error(`no scenario "${name}"; there are ${SCENARIOS.map((scenario) => scenario.name).join(", ")}`);
}
