import { parseArgs } from "node:util";

import { isAppError } from "../../core/errors.ts";
import { jsonDifferences } from "../../core/json-difference.ts";
import { type CheckedFile, checkFile, isSound } from "./check.ts";
import { fetchCampaign, findRemote, keepDraft, publishDraft, type Remote } from "./remote.ts";

const HELP = `npm run journeys -- check FILE…             are they valid, and do their tests hold
npm run journeys -- diff FILE…              what applying them would change
npm run journeys -- apply FILE… [--publish] check them all, then keep each as its campaign's draft, or publish it

FILE       a campaign's JSON; its tests lie beside it: carts.tests.json beside carts.json
--url      of the API, and
--key      an API key with the scope "admin"; else LIVORA_API_URL and LIVORA_API_KEY, else the stack of this folder

Ends with 1 where a file is not valid, a test fails, or (diff) something would change; with 2 where it was called wrongly.
See docs/campaigns.md.`;

const say = (text: string) => void process.stdout.write(`${text}\n`);

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  const faults = isAppError(error) ? error.faults.map(({ path, reason }) => `\n  ${path} ${reason}`).join("") : "";
  process.stderr.write(`${(error as Error).message}${faults}\n`);
  process.exitCode = isAppError(error) ? 1 : 2;
}

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      url: { type: "string" },
      key: { type: "string" },
      publish: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const [command, ...files] = positionals;
  if (values.help) return (say(HELP), 0);
  if (files.length === 0 || !["check", "diff", "apply"].includes(command ?? "")) throw new Error(HELP);
  const checked = files.map(checkFile);
  for (const one of checked) describe(one);
  if (!checked.every(isSound)) return 1;
  if (command === "check") return 0;
  const remote = findRemote(values);
  let changes = 0;
  for (const one of checked) changes += await tellChanges(remote, one);
  if (command === "diff") return changes > 0 ? 1 : 0;
  for (const one of checked) await apply(remote, one, values.publish);
  return 0;
}

function describe({ file, campaign_id, hash, faults, warnings, tests }: CheckedFile): void {
  say(`${file}: ${faults.length > 0 ? "not valid" : `${campaign_id}, ${hash?.slice(0, 12)}`}`);
  for (const { path, reason } of faults) say(`  ✗ ${path} ${reason}`);
  for (const { path, reason } of warnings) say(`  ! ${path} ${reason}`);
  for (const { name, failure } of tests) say(failure === null ? `  ✓ ${name}` : `  ✗ ${name}: ${failure}`);
}

/** Answers how many there are. */
async function tellChanges(remote: Remote, { campaign_id = "", source }: CheckedFile): Promise<number> {
  const known = await fetchCampaign(remote, campaign_id);
  if (known === null) return (say(`${campaign_id}: new`), 1);
  const differences = jsonDifferences(known.draft, source);
  const version = known.current_version === null ? "never published" : `version ${known.current_version} runs`;
  say(
    `${campaign_id}: ${differences.length === 0 ? "as it is" : `${differences.length} differences`} (${known.state}, ${version})`,
  );
  for (const { path, before, after } of differences) {
    if (before === undefined) say(`  + ${path} ${JSON.stringify(after)}`);
    else if (after === undefined) say(`  - ${path} ${JSON.stringify(before)}`);
    else say(`  ~ ${path} ${JSON.stringify(before)} → ${JSON.stringify(after)}`);
  }
  return differences.length;
}

async function apply(
  remote: Remote,
  { campaign_id = "", source = {} }: CheckedFile,
  publishes: boolean,
): Promise<void> {
  await keepDraft(remote, source);
  if (!publishes) return say(`${campaign_id}: kept as the draft`);
  const { version, unchanged } = await publishDraft(remote, campaign_id);
  say(
    `${campaign_id}: ${unchanged ? `version ${version} is this one already` : `version ${version} runs from now on`}`,
  );
}
