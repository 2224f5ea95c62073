import { cpSync, linkSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

import { sql } from "drizzle-orm";

import { findClient, listPartitions, type PartitionRow, startOf } from "../../analytics/etl/book.ts";
import { clientFile, hourFile } from "../../analytics/etl/curated-files.ts";
import { runEtl } from "../../analytics/etl/run-etl.ts";
import { answerBacktest } from "../../analytics/reports/answer-backtest.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import type { Config } from "../../platform/config.ts";
import { createContext } from "../../platform/context.ts";
import { createLake } from "../../platform/lake/lake.ts";
import { createWarehouse } from "../../platform/warehouse/duckdb.ts";
import { SEED_CAMPAIGN } from "../../test/support/seed-campaign.ts";
import { curatedFolder, SHOP_CLIENT, type ShopLake } from "../analytics/shop-lake.ts";
import { serveParent } from "../child.ts";
import { createMeter, type Usage } from "./meter.ts";

export interface EtlOptions {
  config: Config;
  raw: ShopLake;
}

export type EtlResult = Usage & {
  seconds: number;
  /** Seconds of each. */
  steps: Record<string, number>;
  /** Events in the curated lake. */
  curated: number;
  backtest: { seconds: number; people: number; entered: number };
};

/** As workers/etl.ts has it. */
const MEMORY_LIMIT = "768MB";
const THREADS = 2;

/** All steps of ETL over a raw lake, in this process alone: DuckDB is in it, PostgreSQL is not. */
await serveParent<EtlOptions, "run">(async ({ config, raw }) => {
  const ctx = createContext("bench", config);
  const lake = createLake(config.LIVORA_LAKE);
  const tempFolder = join(lake.root, "_tmp", `spill-bench-${process.pid}`);
  const warehouse = createWarehouse({ memoryLimit: MEMORY_LIMIT, threads: THREADS, tempFolder });
  const deps = { ctx, lake, warehouse };

  async function run(): Promise<EtlResult> {
    await begin();
    const steps: Record<string, number> = {};
    const meter = createMeter();
    const startedAt = performance.now();
    let before = startedAt;
    await runEtl(deps, { client_id: SHOP_CLIENT, run_id: crypto.randomUUID() }, undefined, (step) => {
      const now = performance.now();
      steps[step] = (now - before) / 1000;
      before = now;
    });
    const seconds = (performance.now() - startedAt) / 1000;
    // Linux counts it in kilobytes; it never goes down again.
    const used = { ...meter(), residentMb: process.resourceUsage().maxRSS / 1024 };
    const hours = await listPartitions(ctx.db, SHOP_CLIENT);
    const curated = hours.reduce((sum, { curated_rows }) => sum + curated_rows, 0);
    await keepCurated(hours);
    return { ...used, seconds, steps, curated, backtest: await backtest(hours) };
  }

  /** The cart campaign of the manual, over the last week. */
  async function backtest(hours: readonly PartitionRow[]): Promise<EtlResult["backtest"]> {
    const end = Math.max(...hours.map(({ partition }) => startOf(partition))) + HOUR_MS;
    const params = { campaign: SEED_CAMPAIGN, start: end - 7 * DAY_MS, end, cost_per_message: {} };
    const beganMs = performance.now();
    const { people, entered } = await answerBacktest({ ...deps, report: () => undefined }, SHOP_CLIENT, params);
    return { seconds: (performance.now() - beganMs) / 1000, people, entered };
  }

  /** For questions of the lake, which are measured by themselves. */
  async function keepCurated(hours: readonly PartitionRow[]): Promise<void> {
    const { links_version } = await findClient(ctx.db, SHOP_CLIENT);
    const folder = curatedFolder(raw);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(`${folder}.new`, { recursive: true });
    for (const [nth, { partition, version }] of hours.entries()) {
      const name = `events-${String(nth).padStart(4, "0")}.parquet`;
      linkFile(lake.absolute(hourFile(SHOP_CLIENT, partition, "events", version)), join(`${folder}.new`, name));
    }
    const links = clientFile(SHOP_CLIENT, "links", links_version);
    linkFile(lake.absolute(links), join(`${folder}.new`, "links.parquet"));
    renameSync(`${folder}.new`, folder);
  }

  /** The raw lake with its book, and nothing else. */
  async function begin(): Promise<void> {
    rmSync(`${curatedFolder(raw)}.new`, { recursive: true, force: true });
    for (const folder of ["raw", "curated"]) rmSync(lake.absolute(folder), { recursive: true, force: true });
    for (const table of [
      "lake_files",
      "etl_partitions",
      "etl_clients",
      "analytics.builds",
      "analytics.funnel_hourly",
    ]) {
      await ctx.db.execute(sql`delete from ${sql.raw(table)} where client_id = ${SHOP_CLIENT}`);
    }
    for (const { path } of raw.files) {
      mkdirSync(dirname(lake.absolute(path)), { recursive: true });
      linkFile(join(raw.folder, path), lake.absolute(path));
    }
    await ctx.db.execute(sql`insert into lake_files (path, client_id, partition, rows, bytes)
      select path, ${SHOP_CLIENT}, partition, rows, bytes
      from jsonb_to_recordset(${JSON.stringify(raw.files)}::text::jsonb) as row(path text, partition text, rows bigint, bytes bigint)`);
  }

  return { ready: null, answer: run };
});

/** On the same disk it costs nothing. */
function linkFile(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    cpSync(from, to);
  }
}
