import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { startBackingStack } from "../../infra/local/backing-stack.ts";
import { makeTemporaryFolder, sweepTemporaryFolders } from "../../infra/local/temporary-folder.ts";
import { plant, type PlantedBug } from "./bug.ts";
import { BUGS, findBug } from "./bugs.ts";
import { judge, type Verdict } from "./judge.ts";
import { formatTable } from "./report.ts";
import { needsStack, openSuite, type Suite } from "./suite.ts";

const HELP = `npm run test:planted -- [--write] [--short] [--rounds N] [NAME…]

Puts each planted bug into the code, one after the other, and runs the tests that are to catch it: every one has to fail
with the bug, and to pass without. Ends with 1 where one is not caught.
  --write   writes docs/planted-bugs.md
  --short   not without the bugs: \`npm test\` has just done that
  --rounds  each bug so many times: one that is caught by luck is not caught
`;
const ROOT = join(import.meta.dirname, "../..");

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    write: { type: "boolean", default: false },
    short: { type: "boolean", default: false },
    rounds: { type: "string", default: "1" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

const beganAt = performance.now();
// All of them, whichever are to run: a piece of source that has moved on is to be seen at once.
for (const bug of BUGS) plant(bug, readFileSync(join(ROOT, bug.file), "utf8"));
const bugs = names.length > 0 ? names.map(findBug) : BUGS;
const files = bugs.flatMap((bug) => bug.caughtBy.map(({ file }) => file));
const endStack = files.some(needsStack) ? await provideStack() : async () => {};
try {
  const suite = await openSuite(files);
  try {
    process.exitCode = (await runAll(suite, bugs)) ? 0 : 1;
  } finally {
    await suite.close();
  }
} finally {
  await endStack();
}
// Whatever a test's server has left open must not hold us up.
process.exit();

async function runAll(suite: Suite, some: readonly PlantedBug[]): Promise<boolean> {
  const catchers = some.flatMap((bug) => bug.caughtBy);
  const healthy = options.short ? null : await suite.run(catchers, null);
  const troubles = healthy?.troubles ?? [];
  for (const trouble of troubles) console.log(`without any bug: ${trouble}`);
  const verdicts: Verdict[] = [];
  const rounds = Number(options.rounds);
  for (const bug of some) {
    let verdict = judge(bug, healthy, await suite.run(bug.caughtBy, bug));
    for (let round = 1; round < rounds && verdict.isCaught; round++) {
      verdict = judge(bug, healthy, await suite.run(bug.caughtBy, bug));
    }
    verdicts.push(verdict);
    console.log(verdict.line);
  }
  const caught = verdicts.filter((verdict) => verdict.isCaught).length;
  const seconds = ((performance.now() - beganAt) / 1000).toFixed(0);
  console.log(`planted bugs: ${caught} of ${verdicts.length} caught, in ${seconds} s`);
  if (options.write) writeFileSync(join(ROOT, "docs/planted-bugs.md"), formatTable(verdicts));
  return caught === verdicts.length && troubles.length === 0;
}

/** One for all runs; one that is there already (`LIVORA_TEST_STACK`) is taken. Answers how to end it. */
async function provideStack(): Promise<() => Promise<void>> {
  if (process.env.LIVORA_TEST_STACK) return async () => {};
  await sweepTemporaryFolders();
  const folder = makeTemporaryFolder();
  process.env.LIVORA_LOG_LEVEL ??= "silent";
  const stack = await startBackingStack(folder);
  const file = join(folder, "stack.json");
  writeFileSync(file, JSON.stringify({ config: stack.config }));
  process.env.LIVORA_TEST_STACK = file;
  return async () => {
    await stack.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}
