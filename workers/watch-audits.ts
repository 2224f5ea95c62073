import { sql } from "drizzle-orm";
import { Gauge, type Registry } from "prom-client";

import type { Database } from "../platform/postgres/database.ts";
import { quietly } from "./quietly.ts";

const LATEST = sql`(select distinct on (client_id, hour) * from audits where hour > now() - interval '26 hours'
  order by client_id, hour, at desc) latest`;
const VERDICTS = ["ok", "open", "difference", "unknown"];

/** What the latest audits say, asked of the database at each scrape: the same from whichever process is asked. */
export function watchAudits(registry: Registry, db: Database): void {
  const unexplained = new Gauge({
    name: "livora_audit_unexplained",
    help: "Events and messages of the last day that the latest audits found lost, doubled or otherwise wrong",
    labelNames: ["what"],
    registers: [],
    collect: quietly(async (gauge) => {
      const [row] = await db.execute<Record<"events" | "messages", number>>(sql`
        select coalesce(sum(unexplained), 0)::float8 as events, coalesce(sum(unexplained_deliveries), 0)::float8 as messages from ${LATEST}`);
      gauge.set({ what: "events" }, row?.events ?? 0);
      gauge.set({ what: "messages" }, row?.messages ?? 0);
    }),
  });
  const hours = new Gauge({
    name: "livora_audit_hours",
    help: "Hours of clients in the last day, by the verdict of their latest audits",
    labelNames: ["verdict"],
    registers: [],
    collect: quietly(async (gauge) => {
      const rows = await db.execute<{ verdict: string; hours: number }>(
        sql`select verdict, count(*)::float8 as hours from ${LATEST} group by verdict`,
      );
      for (const verdict of VERDICTS) gauge.set({ verdict }, rows.find((row) => row.verdict === verdict)?.hours ?? 0);
    }),
  });
  const age = new Gauge({
    name: "livora_audit_age_seconds",
    help: "Since the latest audit; grows where none runs",
    registers: [],
    collect: quietly(async (gauge) => {
      const [row] = await db.execute<{ age: number | null }>(
        sql`select extract(epoch from now() - max(at))::float8 as age from audits`,
      );
      gauge.set(row?.age ?? Number.POSITIVE_INFINITY);
    }),
  });
  for (const gauge of [unexplained, hours, age]) registry.registerMetric(gauge as Gauge);
}
