import { TestWorkflowEnvironment } from "@temporalio/testing";

import { findTemporalTestServer } from "../../infra/local/artifacts/temporal-test-server.ts";

/** Temporal whose clock runs ahead whenever nothing else is to be done: a delay of a day takes milliseconds. */
export async function createTimeSkippingEnvironment(): Promise<TestWorkflowEnvironment> {
  const path = await findTemporalTestServer();
  return TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: "existing-path", path } } });
}
