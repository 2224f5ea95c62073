import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { runChecks } from "./checks.ts";
import { nodeBinary, ROOT } from "./paths.ts";
import { prepareArtifacts } from "./prepare.ts";

/** Those that kill things under load come after the others, alone. */
const ROUNDS = [["unit", "workflow", "replay", "integration"], ["e2e"]];

interface Counts {
  passed: number;
  failed: number;
}

/** `npm test -- ingest core/event` runs what has these in its path; without, everything. */
const filters = process.argv.slice(2);

await prepareArtifacts();
const failedChecks = await runChecks();
const counts: Counts = { passed: 0, failed: failedChecks.length };
for (const projects of ROUNDS) {
  const { passed, failed } = await runVitest(projects);
  counts.passed += passed;
  counts.failed += failed;
}
if (filters.length === 0) counts.failed += await runPlantedBugs();
if (failedChecks.length > 0) console.log(`checks that failed: ${failedChecks.join(", ")}`);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed > 0 ? 1 : 0;

async function runVitest(projects: readonly string[]): Promise<Counts> {
  const report = join(ROOT, ".livora", `test-${projects[0]}.json`);
  mkdirSync(join(ROOT, ".livora"), { recursive: true });
  rmSync(report, { force: true });
  const selection = projects.flatMap((project) => ["--project", project]);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const args = ["run", ...selection, ...reporters, ...(filters.length > 0 ? ["--passWithNoTests", ...filters] : [])];
  const code = await runNode("node_modules/vitest/vitest.mjs", args);
  const counts = readCounts(report);
  // Trouble outside any test (a set-up that failed, an unhandled rejection) is a failure all the same.
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** A suite that cannot fail proves nothing: `test/planted-bugs`. */
async function runPlantedBugs(): Promise<number> {
  return (await runNode("test/planted-bugs/main.ts", ["--short"])) === 0 ? 0 : 1;
}

function runNode(script: string, args: readonly string[]): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(nodeBinary(), [join(ROOT, script), ...args], {
      cwd: ROOT,
      stdio: "inherit",
    });
    child.once("error", reject);
    child.once("exit", resolve);
  });
}

interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { status: string; assertionResults: { status: string }[] }[];
}

/** A file that failed although none of its tests did (it could not be loaded, its set-up failed) counts as one failure. */
function readCounts(file: string): Counts {
  try {
    const report = JSON.parse(readFileSync(file, "utf8")) as VitestReport;
    const broken = report.testResults.filter(
      ({ status, assertionResults }) =>
        status === "failed" && assertionResults.every((test) => test.status !== "failed"),
    );
    return { passed: report.numPassedTests, failed: report.numFailedTests + broken.length };
  } catch {
    return { passed: 0, failed: 1 };
  }
}
