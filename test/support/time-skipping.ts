import { setTimeout as sleep } from "node:timers/promises";

import { TestWorkflowEnvironment } from "@temporalio/testing";

import { findTemporalTestServer } from "../../infra/local/artifacts/temporal-test-server.ts";

const TRIES = 6;

/** Temporal whose clock runs ahead whenever nothing else is to be done: a delay of a day takes milliseconds. */
export async function createTimeSkippingEnvironment(): Promise<TestWorkflowEnvironment> {
  const path = await findTemporalTestServer();
  for (let left = TRIES - 1; ; left--) {
    try {
      return await TestWorkflowEnvironment.createTimeSkipping({
        server: { executable: { type: "existing-path", path } },
      });
    } catch (error) {
      // The SDK gives its server five seconds, which are too few where all tests run at once on two cores.
      if (left === 0 || !(error as Error).message.includes("did not start within")) throw error;
      await sleep(1_000);
    }
  }
}
