import { away } from "./faults/away.ts";
import { carriedOutThenTimedOut } from "./faults/carried-out-then-timed-out.ts";
import { clocks } from "./faults/clocks.ts";
import { commandBoundaries } from "./faults/command-boundaries.ts";
import { deathBeforeCheckpoint } from "./faults/death-before-checkpoint.ts";
import { diskTrouble } from "./faults/disk-trouble.ts";
import { frozenPastLease } from "./faults/frozen-past-lease.ts";
import { killNine } from "./faults/kill-nine.ts";
import { networkTrouble } from "./faults/network-trouble.ts";
import { partialPutRecords } from "./faults/partial-put-records.ts";
import { poison } from "./faults/poison.ts";
import { postgresTrouble } from "./faults/postgres-trouble.ts";
import { providerThrottles } from "./faults/provider-throttles.ts";
import { redisEmptied } from "./faults/redis-emptied.ts";
import { repeatedEvents } from "./faults/repeated-events.ts";
import { resharding } from "./faults/resharding.ts";
import { rollingUpdate } from "./faults/rolling-update.ts";
import { throttling } from "./faults/throttling.ts";
import { webhooks } from "./faults/webhooks.ts";
import type { Scenario } from "./scenario.ts";

/** In the order of their worth. */
export const SCENARIOS: readonly Scenario[] = [
  ...killNine,
  frozenPastLease,
  partialPutRecords,
  ...carriedOutThenTimedOut,
  repeatedEvents,
  resharding,
  deathBeforeCheckpoint,
  throttling,
  ...diskTrouble,
  ...clocks,
  ...networkTrouble,
  ...postgresTrouble,
  redisEmptied,
  ...away,
  commandBoundaries,
  providerThrottles,
  webhooks,
  rollingUpdate,
  poison,
];

/** Throws, with all names, where there is none of this name. */
export function findScenario(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found) return found;
  throw new Error(`no scenario "${name}"; there are ${SCENARIOS.map((scenario) => scenario.name).join(", ")}`);
}
