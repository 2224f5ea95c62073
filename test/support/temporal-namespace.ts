import { randomBytes } from "node:crypto";

import { Connection } from "@temporalio/client";

import { waitUntil } from "./wait-until.ts";

/** A namespace of one's own on the tests' Temporal: another test's worker takes none of its tasks. */
export async function createTemporalNamespace(address: string): Promise<string> {
  const connection = await Connection.connect({ address });
  const namespace = `test-${randomBytes(4).toString("hex")}`;
  try {
    const day = { seconds: 86_400 as never };
    await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: day });
    const isKnown = () =>
      connection.workflowService.listWorkflowExecutions({ namespace }).then(
        () => true,
        () => false,
      );
    await waitUntil(isKnown, { timeoutMs: 60_000, what: "the namespace is known" });
    return namespace;
  } finally {
    await connection.close();
  }
}
