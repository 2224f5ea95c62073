import type { PlantedBug } from "./bug.ts";
import type { RunOutcome, TestOutcome } from "./suite.ts";

export interface Verdict {
  bug: PlantedBug;
  isCaught: boolean;
  /** Those that failed, in the order of `caughtBy`. */
  catches: TestOutcome[];
  /** For people. */
  line: string;
}

/** The code no longer runs at all: that the tests notice it says nothing about what they look at. */
const BROKEN = /^(SyntaxError|ReferenceError)\b/;

/** `healthy`: null where others have just run them without any bug. Caught is a bug where each of its tests passes without and fails with it, by what the test says, not by code that does not run. */
export function judge(bug: PlantedBug, healthy: RunOutcome | null, ill: RunOutcome): Verdict {
  const faults = bug.caughtBy.flatMap((catcher) => {
    const before = healthy && find(healthy, catcher);
    const after = find(ill, catcher);
    const where = `${catcher.file} › ${catcher.test}`;
    if (healthy && !before) return [`there is no test ${where}`];
    if (before && before.state !== "passed") return [`without the bug fails, too: ${where}: ${before.complaint}`];
    if (after?.state === "passed") return [`passes: ${where}`];
    if (!after) return [`did not run: ${where}${ill.troubles.map((trouble) => `; ${trouble}`).join("")}`];
    return BROKEN.test(after.complaint) ? [`is broken, not wrong: ${after.complaint}`] : [];
  });
  if (!ill.wasPlanted) faults.push(`its tests do not read ${bug.file}`);
  const catches = bug.caughtBy.flatMap((catcher) => find(ill, catcher) ?? []).filter(({ state }) => state === "failed");
  const isCaught = faults.length === 0;
  const [first] = catches;
  const line = isCaught
    ? `✓ ${bug.name}: caught after ${first!.seconds.toFixed(1)} s by ${first!.file} › ${first!.test}: ${first!.complaint}`
    : `✗ ${bug.name}: NOT caught: ${faults.join("; ")}`;
  return { bug, isCaught, catches, line };
}

function find(outcome: RunOutcome, { file, test }: { file: string; test: string }): TestOutcome | undefined {
  return outcome.tests.find((candidate) => candidate.file === file && candidate.test === test);
}
