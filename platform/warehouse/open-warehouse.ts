import { randomUUID } from "node:crypto";
import { join } from "node:path";

import type { Lake } from "../lake/lake.ts";
import { createWarehouse, type Warehouse } from "./duckdb.ts";

interface WarehouseUse {
  /** Whose it is, as it stands in the name of the folder. */
  name: string;
  /** For example `512MB`; what does not fit goes to the lake's disk. */
  memoryLimit: string;
  threads?: number;
}

/**
 * DuckDB beside the lake, with a folder of its own for what does not fit into memory. The name ends in the process's id: what a process
 * that died has left there is swept (`Lake.sweepTemp`).
 */
export function openWarehouse(
  { root }: Pick<Lake, "root">,
  { name, memoryLimit, threads = 1 }: WarehouseUse,
): Warehouse {
  const tempFolder = join(root, "_tmp", `spill-${name}-${randomUUID()}-${process.pid}`);
  return createWarehouse({ memoryLimit, threads, tempFolder });
}
