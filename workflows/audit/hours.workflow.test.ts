import { beforeEach, describe, expect, it } from "vitest";

import { NO_AUDITS } from "../../core/audit.ts";
import {
  AUDIT_TASK_QUEUE,
  AUDIT_WORKFLOW,
  type AuditActivities,
  type AuditInput,
  type AuditSummary,
} from "../../core/contracts/audit.ts";
import { HOUR_MS } from "../../core/time.ts";
import { recordHistory } from "../../test/support/history.ts";
import { useWorker } from "../../test/support/workflow-worker.ts";

const FIRST = Date.parse("2026-11-01T00:00:00.000Z");
/** What there is to audit, what was, and how often a store is away. */
let planned: string[];
let audited: string[];
let sweeps: number;
let failures: number;

const activities: AuditActivities = {
  planAudit: ({ from }) => Promise.resolve(from === undefined ? planned : planned.filter((hour) => hour >= from)),
  auditHour({ hour }): Promise<AuditSummary> {
    if (failures-- > 0) return Promise.reject(new Error("PostgreSQL is away"));
    audited.push(hour);
    return Promise.resolve({ ...NO_AUDITS, hours: 2, differing: 1, unexplained: 3 });
  },
  sweepAudit: () => Promise.resolve(++sweeps),
};

const worker = useWorker({ taskQueue: AUDIT_TASK_QUEUE, workflows: "audit.ts", activities });
beforeEach(() => {
  [audited, sweeps, failures] = [[], 0, 0];
});

function makeHours(count: number): string[] {
  return Array.from({ length: count }, (_, i) => new Date(FIRST + i * HOUR_MS).toISOString());
}

const start = (input: AuditInput = {}) => worker.start(AUDIT_WORKFLOW, input);

describe("auditHours", () => {
  it("audits every hour once, in order, and sweeps at the end", async () => {
    planned = makeHours(5);
    const handle = await start();
    const summary = await handle.result();
    await recordHistory("audit-hours", handle);
    expect(audited).toEqual(planned);
    expect(summary).toEqual({ hours: 10, differing: 5, unexplained: 15, unexplained_deliveries: 0, unknown: 0 });
    expect(sweeps).toBe(1);
  });

  it("tries again when a store is away, and goes on to the next hour when it stays away", async () => {
    planned = makeHours(3);
    failures = 2;
    expect(await (await start()).result()).toMatchObject({ hours: 6, unknown: 0 });
    expect(audited).toEqual(planned);
    [audited, failures] = [[], 4];
    const handle = await start();
    const summary = await handle.result();
    await recordHistory("audit-unknown", handle);
    expect(summary).toMatchObject({ hours: 5, differing: 2, unknown: 1 });
    expect(audited).toEqual(planned.slice(1));
  });

  it("goes on in a new execution before its history grows long, and loses no hour and no count", async () => {
    planned = makeHours(400);
    const handle = await start({ from: planned[0], to: planned.at(-1) });
    expect(await handle.result()).toMatchObject({ hours: 800, unexplained: 1_200 });
    expect(audited).toEqual(planned);
    expect((await handle.describe()).runId).not.toBe(handle.firstExecutionRunId);
  });
});
