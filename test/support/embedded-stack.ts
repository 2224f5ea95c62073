import { readFileSync, rmSync } from "node:fs";

import type { TestProject } from "vitest/node";

import { startBackingStack } from "../../infra/local/backing-stack.ts";
import { makeTemporaryFolder, sweepTemporaryFolders } from "../../infra/local/temporary-folder.ts";
import type { Config } from "../../platform/config.ts";
import { partStack } from "./part-stack.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The embedded stack as each of vitest's workers has it: `stackConfig()` tells a test its own. */
    configs: Config[];
  }
}

/** Brings up PostgreSQL, Redis, Kinesis, DynamoDB and Temporal for the tests that need them, or takes those that `LIVORA_TEST_STACK` names. */
export default async function setUp(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const { maxWorkers } = project.vitest.config;
  const shared = process.env.LIVORA_TEST_STACK;
  if (shared) {
    const { config } = JSON.parse(readFileSync(shared, "utf8")) as { config: Config };
    project.provide("configs", await partStack(config, maxWorkers));
    return undefined;
  }
  await sweepTemporaryFolders();
  const folder = makeTemporaryFolder();
  const stack = await startBackingStack(folder);
  const close = async () => {
    await stack.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    project.provide("configs", await partStack(stack.config, maxWorkers));
    return close;
  } catch (error) {
    await close();
    throw error;
  }
}
