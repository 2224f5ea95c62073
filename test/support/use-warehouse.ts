import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll } from "vitest";

import { createWarehouse, type Warehouse } from "../../platform/warehouse/duckdb.ts";

/** DuckDB for as long as the file's tests run, and a folder that goes with it. */
export function useWarehouse(memoryLimit = "256MB"): { warehouse: Warehouse; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), "livora-warehouse-"));
  const warehouse = createWarehouse({ memoryLimit, threads: 1, tempFolder: join(folder, "spill") });
  afterAll(async () => {
    await warehouse.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { warehouse, folder };
}
