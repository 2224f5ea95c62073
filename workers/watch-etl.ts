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
  for (const gauge of [held, age]) registry.registerMetric(gauge as Gauge);
}
