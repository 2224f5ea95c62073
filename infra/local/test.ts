import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";

import { runChecks } from "./checks.ts";
import { nodeBinary, ROOT } from "./paths.ts";
import { prepareArtifacts } from "./prepare.ts";

/** Needs nothing that must be found or built first. */
const AT_ONCE = ["unit"];
/** Those that kill things under load come after the others, alone. */
const ROUNDS = [["workflow", "replay", "integration"], ["e2e"]];

interface Outcome {
  passed: number;
  failed: number;
  /** Of each failure: where, what, and the first lines of why. */
  failures: string[];
}

/** So much of each failure is said again at the end, where a log that was cut still has it. */
const REASON_LINES = 3;

/** `npm test -- ingest core/event` runs what has these in its path; without, everything. */
const filters = process.argv.slice(2);

// What these say comes afterwards, in one piece: beside it is told how far the rest has come.
const log = join(ROOT, ".livora", "test-unit.log");
const [unit] = await Promise.all([runVitest(AT_ONCE, log), prepareArtifacts()]);
process.stdout.write(readFileSync(log));
const failedChecks = await runChecks();
const outcomes: Outcome[] = [
  unit,
  { passed: 0, failed: failedChecks.length, failures: failedChecks.map((check) => `check: ${check}`) },
];
for (const projects of ROUNDS) outcomes.push(await runVitest(projects));
if (filters.length === 0) outcomes.push(await runPlantedBugs());
const [passed, failed] = [sum((one) => one.passed), sum((one) => one.failed)];
for (const failure of outcomes.flatMap((one) => one.failures)) console.log(`\nFAILED ${failure}`);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

function sum(pick: (outcome: Outcome) => number): number {
  return outcomes.reduce((total, outcome) => total + pick(outcome), 0);
}

async function runVitest(projects: readonly string[], log?: string): Promise<Outcome> {
  const report = join(ROOT, ".livora", `test-${projects[0]}.json`);
  mkdirSync(join(ROOT, ".livora"), { recursive: true });
  rmSync(report, { force: true });
  const selection = projects.flatMap((project) => ["--project", project]);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const args = ["run", ...selection, ...reporters, ...(filters.length > 0 ? ["--passWithNoTests", ...filters] : [])];
  const code = await runNode("node_modules/vitest/vitest.mjs", args, log);
  const outcome = readOutcome(report);
  // Trouble outside any test (a set-up of everything that failed, an unhandled rejection) is a failure all the same.
  return code !== 0 && outcome.failed === 0
    ? { ...outcome, failed: 1, failures: [`${projects.join(", ")}: outside any test, exit code ${code}`] }
    : outcome;
}

/** A suite that cannot fail proves nothing: `test/planted-bugs`. */
async function runPlantedBugs(): Promise<Outcome> {
  const isGood = (await runNode("test/planted-bugs/main.ts", ["--short"])) === 0;
  return { passed: 0, failed: isGood ? 0 : 1, failures: isGood ? [] : ["planted bugs: one was not caught"] };
}

/** What it says goes to our own output, or into a file. */
function runNode(script: string, args: readonly string[], log?: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const output = log === undefined ? "inherit" : openSync(log, "w");
    const child = spawn(nodeBinary(), [join(ROOT, script), ...args], {
      cwd: ROOT,
      stdio: ["inherit", output, output],
    });
    if (typeof output === "number") closeSync(output);
    child.once("error", reject);
    child.once("exit", resolve);
  });
}

interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
  }[];
}

/** A file that failed although none of its tests did (it could not be loaded, its set-up failed) counts as one failure. */
function readOutcome(file: string): Outcome {
  try {
    const report = JSON.parse(readFileSync(file, "utf8")) as VitestReport;
    const failures = report.testResults
      .filter(({ status }) => status === "failed")
      .flatMap(({ name, message, assertionResults }) => {
        const failed = assertionResults.filter((test) => test.status === "failed");
        const where = relative(ROOT, name);
        if (failed.length === 0) return [describeFailure(where, "could not be set up", [message])];
        return failed.map((test) => describeFailure(where, test.fullName, test.failureMessages));
      });
    return { passed: report.numPassedTests, failed: failures.length, failures };
  } catch (error) {
    return { passed: 0, failed: 1, failures: [`${file}: ${(error as Error).message}`] };
  }
}

function describeFailure(where: string, what: string, reasons: readonly string[]): string {
  const reason = stripVTControlCharacters(reasons.join("\n")).split("\n").slice(0, REASON_LINES);
  return [`${where} › ${what}`, ...reason].join("\n  ");
}
