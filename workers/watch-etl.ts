import { sql } from "drizzle-orm";
import { Gauge, type Registry } from "prom-client";

import type { Database } from "../platform/postgres/database.ts";
import { quietly } from "./quietly.ts";

/** What the books of ETL say, asked of the database at each scrape: the same from whichever process is asked. */
export function watchEtl(registry: Registry, db: Database): void {
  const held = new Gauge({
    name: "livora_etl_held_hours",
    help: "Hours of clients that a check holds back: their days keep older figures",
    registers: [],
    collect: quietly(async (gauge) => {
      const [row] = await db.execute<{ n: number }>(
        sql`select count(*)::float8 as n from etl_partitions where state = 'held'`,
      );
      gauge.set(row?.n ?? 0);
    }),
  });
  const age = new Gauge({
    name: "livora_etl_age_seconds",
    help: "Since the aggregates of the client that is furthest behind were said to be up to date",
    registers: [],
    collect: quietly(async (gauge) => {
      const [row] = await db.execute<{ age: number | null }>(
        sql`select extract(epoch from now() - min(as_of))::float8 as age from etl_clients where as_of is not null`,
      );
      if (row?.age != null) gauge.set(row.age);
    }),
  });
  const failed = new Gauge({
    name: "livora_etl_failed_hours",
    help: "Hours of clients in which a check of the data has failed, also those that it does not hold back",
    labelNames: ["check"],
    registers: [],
    collect: quietly(async (gauge) => {
      const rows = await db.execute<{ check: string; hours: number }>(sql`
        select one ->> 'check' as check, count(distinct (client_id, partition))::float8 as hours
        from etl_partitions, jsonb_array_elements(checks) one where one @> '{"ok": false}' group by 1`);
      gauge.reset();
      for (const { check, hours } of rows) gauge.set({ check }, hours);
    }),
  });
  for (const gauge of [held, age, failed]) registry.registerMetric(gauge as Gauge);
}
