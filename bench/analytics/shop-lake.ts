import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { CURATED_COLUMNS } from "../../core/curated-event.ts";
import { partitionOf, rangeFileName } from "../../core/lake.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { cacheDir } from "../../infra/local/paths.ts";
import { createWarehouse, quote } from "../../platform/warehouse/duckdb.ts";
import { rawRowsSql, visitsSql } from "./shop-sql.ts";

/** Another number makes other files: what is in the cache is for this one. */
const EDITION = 2;
export const SHOP_CLIENT = "bench-shop";
export const SHOP_START = Date.parse("2026-10-01T00:00:00Z");
const SHARD = "shardId-000000000000";

/** A raw lake as the stream's consumer writes it, and its book. */
export interface ShopLake {
  folder: string;
  events: number;
  days: number;
  files: { path: string; partition: string; rows: number; bytes: number }[];
}

/**
 * Events of a shop, the same ones every time: a hundred for each person, in visits that keep to the hours of the day, a third of them
 * logged in, some devices shared, one event in two hundred sent twice. Made once, into the cache: some 250 bytes for each.
 */
export async function makeShopLake(events: number, days: number, report: (text: string) => void): Promise<ShopLake> {
  const folder = join(cacheDir(), "bench-lakes", `${EDITION}-${events}-${days}`);
  const book = join(folder, "book.json");
  if (existsSync(book)) return { ...(JSON.parse(readFileSync(book, "utf8")) as ShopLake), folder };
  report(`makes a lake of ${events.toLocaleString("en")} events, once, in ${folder}`);
  const draft = `${folder}.${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  const warehouse = createWarehouse({ memoryLimit: "2GB", threads: 2, tempFolder: join(draft, "spill") });
  const files: ShopLake["files"] = [];
  try {
    await warehouse.use(async (connection) => {
      await connection.run(`CREATE TEMP TABLE beats AS ${visitsSql({ events, days, startMs: SHOP_START })}`);
      for (let ms = SHOP_START; ms < SHOP_START + days * DAY_MS; ms += HOUR_MS) {
        const partition = partitionOf(SHOP_CLIENT, ms).path;
        const hour = ms / HOUR_MS;
        const range = { shard: SHARD, first: sequenceOf(hour), last: sequenceOf(hour + 1) };
        const path = `${partition}/${rangeFileName(SHOP_CLIENT, range)}`;
        mkdirSync(dirname(join(draft, path)), { recursive: true });
        const rows = rawRowsSql({ clientId: SHOP_CLIENT, shard: SHARD, hour, events });
        const written = await connection.runAndReadAll(
          `COPY (${rows}) TO ${quote(join(draft, path))} (FORMAT parquet, COMPRESSION snappy)`,
        );
        const count = Number(written.getRowsJson()[0]?.[0]);
        if (count > 0) files.push({ path, partition, rows: count, bytes: statSync(join(draft, path)).size });
        else rmSync(join(draft, path));
      }
    });
  } finally {
    await warehouse.close();
  }
  rmSync(join(draft, "spill"), { recursive: true, force: true });
  writeFileSync(join(draft, "book.json"), JSON.stringify({ events, days, files }));
  rmSync(folder, { recursive: true, force: true });
  renameSync(draft, folder);
  return { folder, events, days, files };
}

/** Where ETL's files of it are kept: `events-….parquet` and `links.parquet`. */
export function curatedFolder({ folder }: ShopLake): string {
  const columns = createHash("sha256").update(JSON.stringify(CURATED_COLUMNS)).digest("hex");
  return join(folder, `curated-${columns.slice(0, 8)}`);
}

function sequenceOf(hour: number): string {
  return String(hour).padStart(56, "4");
}
