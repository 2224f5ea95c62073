import { tmpdir } from "node:os";
import { join } from "node:path";

import { countFunnelSql, type FunnelRange } from "../../analytics/reports/funnel-sql.ts";
import type { Funnel } from "../../core/funnel.ts";
import { createWarehouse, quote } from "../../platform/warehouse/duckdb.ts";
import { serveParent } from "../child.ts";
import { createMeter, type Usage } from "./meter.ts";

/** Paths of curated files and of the client's links; a star stands for many. */
export interface FunnelOptions {
  files: string;
  links: string;
}

export interface FunnelQuestion {
  funnel: Funnel;
  range: FunnelRange;
}

export type FunnelResult = Usage & { steps: number[]; seconds: number };

const MEMORY_LIMIT = "2GB";

/** A question of the lake as analytics/reports/answer-funnel.ts asks it, by DuckDB in this process. */
await serveParent<FunnelOptions, FunnelQuestion>(async ({ files, links }) => {
  const tempFolder = join(tmpdir(), `livora-bench-funnel-${process.pid}`);
  const warehouse = createWarehouse({ memoryLimit: MEMORY_LIMIT, threads: 2, tempFolder });
  const answer = async ({ funnel, range }: FunnelQuestion): Promise<FunnelResult> =>
    warehouse.use(async (connection) => {
      const meter = createMeter();
      const startedAt = performance.now();
      await connection.run(eventsView(files, links));
      const found = await connection.runAndReadAll(countFunnelSql(funnel, "events", range));
      const seconds = (performance.now() - startedAt) / 1000;
      const used = { ...meter(), residentMb: process.resourceUsage().maxRSS / 1024 };
      return { ...used, seconds, steps: found.getRowsJson()[0]!.slice(1).map(Number) };
    });
  return { ready: null, answer };
});

/** The view of analytics/etl/events-view.ts, over files that lie elsewhere. */
function eventsView(files: string, links: string): string {
  return `CREATE OR REPLACE TEMP VIEW events AS
    SELECT event.*, CASE
      WHEN coalesce(event.user_id, link.user_id) IS NOT NULL THEN 'user:' || coalesce(event.user_id, link.user_id)
      WHEN event.anon_id IS NOT NULL THEN 'anon:' || event.anon_id ELSE 'session:' || event.session_id END AS person
    FROM read_parquet(${quote(files)}) AS event LEFT JOIN read_parquet(${quote(links)}) AS link USING (anon_id)`;
}
