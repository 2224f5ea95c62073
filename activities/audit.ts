import { Context as ActivityContext } from "@temporalio/activity";

import { auditHour } from "../analytics/audit/audit-hour.ts";
import { readKnownHours, saveAudits, sweepAudits } from "../analytics/audit/save-audits.ts";
import type { AuditDeps } from "../analytics/audit/scope.ts";
import { hoursBetween, lookBackFrom, selectHours, summarise } from "../core/audit.ts";
import type { AuditActivities } from "../core/contracts/audit.ts";
import type { Warehouse } from "../platform/warehouse/duckdb.ts";

const HEARTBEAT_MS = 5_000;

export type AuditActivityDeps = Omit<AuditDeps, "warehouse"> & {
  /** One for each hour: between the audits its memory is free. */
  openWarehouse(): Warehouse;
};

export function createAuditActivities(deps: AuditActivityDeps): AuditActivities {
  const { ctx, lake } = deps;
  return {
    async planAudit({ from, to }) {
      const nowMs = Date.now();
      const toMs = to === undefined ? nowMs : Date.parse(to);
      const hours =
        from === undefined
          ? selectHours(nowMs, await readKnownHours(ctx.db, lookBackFrom(nowMs)))
          : hoursBetween(Date.parse(from), Math.min(toMs, nowMs));
      return hours.map((ms) => new Date(ms).toISOString());
    },

    async auditHour({ hour }) {
      const activity = ActivityContext.current();
      const warehouse = deps.openWarehouse();
      const timer = setInterval(() => activity.heartbeat(), HEARTBEAT_MS);
      try {
        const audited = await auditHour({ ...deps, warehouse }, { hourMs: Date.parse(hour), clientId: undefined });
        await saveAudits(ctx.db, audited);
        const summary = summarise(audited);
        if (summary.differing > 0) ctx.log.error({ hour, ...summary }, "the audit has found a difference");
        return summary;
      } finally {
        clearInterval(timer);
        await warehouse.close();
      }
    },

    sweepAudit: () => sweepAudits({ db: ctx.db, lake }, Date.now()),
  };
}
