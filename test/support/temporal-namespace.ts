import { randomBytes } from "node:crypto";

import { Connection } from "@temporalio/client";

import { SEARCH_ATTRIBUTES } from "../../core/contracts/journey.ts";
import { waitUntil } from "./wait-until.ts";

const DAY = { seconds: 86_400 as never };
const ALREADY_EXISTS = 6;
const KEYWORD = 2;

/** A namespace of one's own on the tests' Temporal: another test's worker takes none of its tasks. */
export async function createTemporalNamespace(address: string): Promise<string> {
  const namespace = `test-${randomBytes(4).toString("hex")}`;
  await ensureTemporalNamespace(address, namespace);
  return namespace;
}

/** There afterwards, with the search attributes of journeys; may have been there before. */
export async function ensureTemporalNamespace(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address });
  const { workflowService, operatorService } = connection;
  try {
    await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: DAY }).catch(acceptExisting);
    const searchAttributes = Object.fromEntries(Object.values(SEARCH_ATTRIBUTES).map((name) => [name, KEYWORD]));
    // Refused for as long as not every part of Temporal has heard of the namespace.
    const isKnown = async () => {
      await operatorService.addSearchAttributes({ namespace, searchAttributes });
      await workflowService.listWorkflowExecutions({ namespace });
      return true;
    };
    await waitUntil(() => isKnown().catch(() => false), { timeoutMs: 60_000, what: "the namespace is known" });
  } finally {
    await connection.close();
  }
}

function acceptExisting(error: unknown): void {
  if ((error as { code?: number }).code !== ALREADY_EXISTS) throw error;
}
