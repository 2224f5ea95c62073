import { parseArgs } from "node:util";

import { prepareArtifacts } from "../../infra/local/prepare.ts";
import { sweepTemporaryFolders } from "../../infra/local/temporary-folder.ts";
import { announceSeed } from "../support/oracle-random.ts";
import { runApart } from "./run-apart.ts";
import type { Report } from "./scenario.ts";
import { findScenario, SCENARIOS } from "./scenarios.ts";
import { formatTable, isBroken, verdictOf } from "./table.ts";

const HELP = `npm run test:chaos [-- options]

Attacks a Livora of its own, on loopback, with one fault after the other, and prints what held. docs/chaos.md says more.

  --only NAME   this scenario, and others where it is given again
  --runs N      how often the fault is injected in each scenario (3)
  --long        the long form of those that have one (Temporal away for 30 minutes, twenty-five blows a run)
  --list        the scenarios
  --help        this

LIVORA_TEST_SEED repeats a run's choices, LIVORA_TEST_KEEP keeps its folder.`;

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    runs: { type: "string", default: "3" },
    long: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

if (values.help) console.log(HELP);
else if (values.list) for (const { name, fault } of SCENARIOS) console.log(`${name.padEnd(32)} ${fault}`);
else process.exitCode = await attack();

async function attack(): Promise<number> {
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs takes a number from 1 on, not "${values.runs}"`);
  const chosen = values.only ? values.only.map(findScenario) : SCENARIOS;
  const seed = announceSeed("chaos");
  await prepareArtifacts();
  await sweepTemporaryFolders();
  const reports: Report[] = [];
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stopping.abort());
  for (const scenario of chosen) {
    if (stopping.signal.aborted) break;
    const report = await runApart(scenario, { runs, seed, isLong: values.long });
    reports.push(report);
    console.log(`${scenario.name}: ${verdictOf(report)} (${Math.round(report.tookMs / 1000)} s)`);
    for (const finding of report.findings.slice(0, 20)) console.log(`  ${finding}`);
  }
  console.log(`\n${formatTable(reports)}`);
  return reports.some(isBroken) ? 1 : 0;
}
