import { auditDeliveries, type DeliveryFindings } from "./audit-deliveries.ts";
import { auditRuns } from "./audit-runs.ts";
import { compareProviders } from "./compare-providers.ts";
import type { AuditDeps, Scope } from "./scope.ts";

export type MessageFindings = DeliveryFindings & { notes: string[] };

/** The hour's messages: the ledger by itself, against the journeys that wanted them, and against the providers that took them. */
export async function auditMessages(deps: AuditDeps, scope: Scope): Promise<MessageFindings> {
  const deliveries = await auditDeliveries(deps.ctx, scope);
  const runs = await auditRuns(deps.ctx, scope);
  const { differences, notes } = await compareProviders(deps, scope);
  return { ...deliveries, differences: [...deliveries.differences, ...runs, ...differences], notes };
}
