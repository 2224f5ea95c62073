import { parseArgs } from "node:util";

import { AppError } from "../../core/errors.ts";
import { describeFault } from "./faults.ts";
import { runSeeds } from "./index.ts";
import { runSeed, type SeedResult } from "./run.ts";
import { drawScenario } from "./scenario.ts";
import { shrinkSeed } from "./shrink.ts";

const USAGE = `npm run sim -- [--seeds 1000] [--from 1] [--keep-going]   seeds, until one fails
npm run sim -- --seed 1234 [--drop f0,s1,s2.3] [--shrink]   one of them, with everything that happens`;
const SHOWN = 6;
/** How often it says how far it is, where nothing fails. */
const TELL_EVERY = 1_000;

try {
  process.exitCode = (await run()) ? 0 : 1;
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 2;
}
// PGlite keeps the process alive.
process.exit();

/** Whether everything held. */
async function run(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "1000" },
      from: { type: "string", default: "1" },
      "keep-going": { type: "boolean", default: false },
      seed: { type: "string" },
      drop: { type: "string", default: "" },
      shrink: { type: "boolean", default: false },
    },
  });
  if (values.seed === undefined) {
    return runMany(numberOf(values.from), numberOf(values.seeds), values["keep-going"]);
  }
  const drop = new Set(values.drop.split(",").filter((id) => id !== ""));
  return runOne(numberOf(values.seed), drop, values.shrink);
}

async function runMany(from: number, count: number, keepsGoing: boolean): Promise<boolean> {
  const report = await runSeeds({
    from,
    count,
    stopAtFirst: !keepsGoing,
    onSeed(result) {
      if (result.violations.length > 0) showFailure(result);
      else if ((result.seed - from + 1) % TELL_EVERY === 0) console.log(`${result.seed - from + 1} seeds`);
    },
  });
  const eachMs = Math.round(report.tookMs / report.count);
  console.log(`${report.count} seeds, ${report.failed.length} failed, ${eachMs} ms each`);
  const [first] = report.failed;
  if (first) await showLeast(first);
  return report.failed.length === 0;
}

async function runOne(seed: number, drop: ReadonlySet<string>, shrinks: boolean): Promise<boolean> {
  const { visitors, faults, shards } = drawScenario(seed, drop);
  console.log(`shards: ${shards.events} of events, ${shards.enriched} of enriched`);
  for (const { id, client, user_id, acts } of visitors)
    console.log(`${id} ${client} ${user_id}: ${acts.map((act) => `${act.id} ${act.kind}`).join(", ")}`);
  for (const fault of faults) console.log(describeFault(fault));
  const result = await runSeed(seed, { drop, tell: (line) => console.log(line) });
  const { steps, virtualMs, tookMs, fingerprint } = result;
  console.log(
    `${steps} steps, ${virtualMs} ms of virtual time in ${Math.round(tookMs)} ms, fingerprint ${fingerprint}`,
  );
  if (result.violations.length === 0) return true;
  showFailure(result);
  if (shrinks) await showLeast(result);
  return false;
}

async function showLeast(failing: SeedResult): Promise<void> {
  let tries = 0;
  const least = await shrinkSeed(failing, () => void tries++);
  console.log(`shrunk in ${tries} tries, to ${least.fired.map(describeFault).join("; ") || "no fault at all"}`);
  showFailure(least);
}

function showFailure({ repeat, violations }: SeedResult): void {
  console.log(repeat);
  for (const { invariant, detail } of violations.slice(0, SHOWN)) console.log(`  ${invariant}: ${detail}`);
  if (violations.length > SHOWN) console.log(`  and ${violations.length - SHOWN} more`);
}

function numberOf(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new AppError("invalid", `"${text}" is no number of seeds`);
  return number;
}
