import { readFileSync, rmSync } from "node:fs";

import type { TestProject } from "vitest/node";

import { startBackingStack } from "../../infra/local/backing-stack.ts";
import { makeTemporaryFolder, sweepTemporaryFolders } from "../../infra/local/temporary-folder.ts";
import type { Config } from "../../platform/config.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Where the embedded stack is: `inject("config")`. */
    config: Config;
  }
}

/** Brings up PostgreSQL, Redis, Kinesis, DynamoDB and Temporal for the tests that need them, or takes those that `LIVORA_TEST_STACK` names. */
export default async function setUp(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const shared = process.env.LIVORA_TEST_STACK;
  if (shared) {
    project.provide("config", (JSON.parse(readFileSync(shared, "utf8")) as { config: Config }).config);
    return undefined;
  }
  await sweepTemporaryFolders();
  const folder = makeTemporaryFolder();
  const stack = await startBackingStack(folder);
  project.provide("config", { ...stack.config });
  return async () => {
    await stack.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}
