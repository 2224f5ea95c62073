import {
  ActivityFailure,
  continueAsNew,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
} from "@temporalio/workflow";

import { NO_AUDITS } from "../../core/audit.ts";
import type { AuditActivities, AuditInput, AuditSummary } from "../../core/contracts/audit.ts";
import { sumCounts } from "../../core/sum-counts.ts";
import { isHistoryLong } from "../history.ts";

/** May be repeated: they read, or remove what is past its time. */
const { planAudit, sweepAudit } = proxyActivities<Pick<AuditActivities, "planAudit" | "sweepAudit">>({
  startToCloseTimeout: "60 s",
  retry: { initialInterval: "1 s", maximumInterval: "60 s" },
});

/** May be repeated: the latest audit of an hour counts. A store that is away is tried a few times; the next run comes soon. */
const { auditHour } = proxyActivities<Pick<AuditActivities, "auditHour">>({
  startToCloseTimeout: "1 h",
  heartbeatTimeout: "60 s",
  retry: { initialInterval: "5 s", maximumInterval: "60 s", maximumAttempts: 4 },
});

/** Audits hour after hour. One that cannot be audited does not keep the others from it. */
export async function auditHours(input: AuditInput): Promise<AuditSummary> {
  let summary = input.summary ?? NO_AUDITS;
  for (const hour of await planAudit({ from: input.from, to: input.to })) {
    if (isHistoryLong()) await continueAsNew<typeof auditHours>({ ...input, from: hour, summary });
    summary = sumCounts([summary, await auditOrGiveUp(hour)]);
    setCurrentDetails(describe(hour, summary));
  }
  await sweepAudit();
  return summary;
}

async function auditOrGiveUp(hour: string): Promise<AuditSummary> {
  try {
    return await auditHour({ hour });
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    return { ...NO_AUDITS, hours: 1, unknown: 1 };
  }
}

function describe(
  hour: string,
  { hours, differing, unexplained, unexplained_deliveries, unknown }: AuditSummary,
): string {
  const found = `**${differing}** with differences (${unexplained} events, ${unexplained_deliveries} messages), ${unknown} not known`;
  return `up to ${hour}: ${hours} hours of clients, ${found}`;
}
