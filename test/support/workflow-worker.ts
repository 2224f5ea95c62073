import { randomUUID } from "node:crypto";

import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { Worker } from "@temporalio/worker";
import { afterAll, beforeAll } from "vitest";

import { bundleWorkflows } from "../../workers/bundle.ts";
import { createTimeSkippingEnvironment } from "./time-skipping.ts";

export interface WorkerOptions {
  taskQueue: string;
  /** A file of `workflows/`. */
  workflows: string;
  /** What the workflows find outside, as the test says it is. */
  activities: object;
}

/** Real workflow code on a Temporal whose clock can be turned, for as long as the file's tests run. */
export function useWorker({ taskQueue, workflows, activities }: WorkerOptions) {
  let env: TestWorkflowEnvironment;
  let close: () => Promise<void>;

  beforeAll(async () => {
    env = await createTimeSkippingEnvironment();
    close = await runWorker(env, { taskQueue, workflows, activities });
  });
  afterAll(() => close());

  return {
    get env() {
      return env;
    },
    start<Input>(workflow: string, input: Input) {
      const options = { taskQueue, workflowId: `${taskQueue}-${randomUUID()}`, args: [input] };
      return env.client.workflow.start(workflow, options);
    },
  };
}

/** The answer closes worker and environment. */
export async function runWorker(
  env: TestWorkflowEnvironment,
  { taskQueue, workflows, activities }: WorkerOptions,
): Promise<() => Promise<void>> {
  const workflowBundle = await bundleWorkflows(workflows);
  const worker = await Worker.create({ connection: env.nativeConnection, taskQueue, workflowBundle, activities });
  const running = worker.run();
  return async () => {
    worker.shutdown();
    await running;
    await env.teardown();
  };
}
