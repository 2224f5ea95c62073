import { renameSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

import { startBackingStack } from "./backing-stack.ts";
import { makeTemporaryFolder, sweepTemporaryFolders } from "./temporary-folder.ts";

/**
 * `node infra/local/test-stack.ts <file.json>` keeps the integration tests' stack running between runs:
 * `LIVORA_TEST_STACK=<file.json> npx vitest --project integration` then takes that one and starts in a second.
 */
const file = resolve(process.argv[2] ?? ".livora/test-stack.json");
await sweepTemporaryFolders();
const folder = makeTemporaryFolder();
const stack = await startBackingStack(folder, (text) => console.log(text));
// Whole or not at all: somebody may be waiting for it.
writeFileSync(`${file}.new`, JSON.stringify({ config: stack.config, folder, pid: process.pid }, null, 2));
renameSync(`${file}.new`, file);
console.log(`ready: ${file}`);

async function stop(): Promise<void> {
  rmSync(file, { force: true });
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
// Children are not attached to our event loop by pipes.
setInterval(() => {}, 60_000);
