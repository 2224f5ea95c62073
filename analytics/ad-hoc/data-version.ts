import { sql } from "drizzle-orm";

import type { Transaction } from "../../platform/postgres/tenant.ts";

/** What an answer is made of: aggregates by name, or the curated lake itself. */
export type DataSource = { aggregates: readonly string[] } | "lake";

/** A digest that changes whenever one of the sources does. */
export async function readDataVersion(tx: Transaction, clientId: string, source: DataSource): Promise<string> {
  const [row] = await tx.execute<{ version: string }>(
    source === "lake"
      ? sql`select md5(coalesce(string_agg(partition || ' ' || version || ' ' || people_version, ',' order by partition), '')) as version
            from etl_partitions where client_id = ${clientId}`
      : sql`select md5(coalesce(string_agg(aggregate || ' ' || day || ' ' || digest, ',' order by aggregate, day), '')) as version
            from analytics.builds where client_id = ${clientId} and aggregate in ${source.aggregates}`,
  );
  return row!.version;
}
