import { rm } from "node:fs/promises";

import { sql } from "drizzle-orm";

import { EDGES_ROOT, type KnownHour, parseAuditFolder, RECEIPTS_ROOT } from "../../core/audit.ts";
import type { AuditedHour } from "../../core/contracts/audit.ts";
import { DAY_MS } from "../../core/time.ts";
import type { Database } from "../../platform/postgres/database.ts";
import { audits } from "../../platform/postgres/schema.ts";
import type { Lake } from "../../platform/lake/lake.ts";
import { listNames } from "./stage-lake.ts";

/** As long as a month's questions may be asked. */
const KEPT_MS = 35 * DAY_MS;
/** Until each hour has had its second audit; what that could not place is in its result. */
const JOURNALS_KEPT_MS = 2 * DAY_MS;
const ROWS_AT_ONCE = 500;

export async function saveAudits(db: Database, audited: readonly AuditedHour[]): Promise<void> {
  const at = new Date().toISOString();
  for (let from = 0; from < audited.length; from += ROWS_AT_ONCE) {
    await db.insert(audits).values(audited.slice(from, from + ROWS_AT_ONCE).map((hour) => ({ ...hour, at })));
  }
}

/** What the latest audits say of the hours from `fromMs` on. */
export async function readKnownHours(db: Database, fromMs: number): Promise<KnownHour[]> {
  const from = new Date(fromMs).toISOString();
  const rows = await db.execute<{ hour_ms: string; at_ms: string; is_well: boolean }>(sql`
    select extract(epoch from hour) * 1000 as hour_ms, extract(epoch from min(at)) * 1000 as at_ms, bool_and(verdict = 'ok') as is_well
    from (select distinct on (client_id, hour) hour, at, verdict from audits where hour >= ${from} order by client_id, hour, at desc) latest
    group by hour`);
  return rows.map((row) => ({ hourMs: Number(row.hour_ms), auditedAtMs: Number(row.at_ms), isWell: row.is_well }));
}

/** Receipts, journals, counts and audits beyond their time go; of a day ago only each hour's last audit stays. Answers how many hours of receipts went. */
export async function sweepAudits({ db, lake }: { db: Database; lake: Lake }, nowMs: number): Promise<number> {
  const [kept, yesterday] = [nowMs - KEPT_MS, nowMs - DAY_MS].map((ms) => new Date(ms).toISOString());
  await db.execute(sql`
    delete from audits old where at < ${kept} or (at < ${yesterday} and exists (
      select from audits later where later.client_id = old.client_id and later.hour = old.hour and later.at > old.at))`);
  await db.execute(sql`delete from edge_counts where hour < ${kept}`);
  await removeHours(lake, EDGES_ROOT, nowMs - JOURNALS_KEPT_MS);
  return removeHours(lake, RECEIPTS_ROOT, nowMs - KEPT_MS);
}

async function removeHours(lake: Lake, root: string, beforeMs: number): Promise<number> {
  let removed = 0;
  for (const day of await listNames(lake.absolute(root))) {
    for (const hour of await listNames(lake.absolute(`${root}/${day}`))) {
      const path = `${root}/${day}/${hour}`;
      if ((parseAuditFolder(path) ?? Infinity) > beforeMs) continue;
      await rm(lake.absolute(path), { recursive: true, force: true });
      removed++;
    }
  }
  return removed;
}
