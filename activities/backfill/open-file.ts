import { stat } from "node:fs/promises";

import { AppError } from "../../core/errors.ts";
import type { Config } from "../../platform/config.ts";
import { backfillFolder, findImport } from "../../platform/backfill/folders.ts";
import { openParquet, type ParquetSource } from "../../platform/backfill/read-parquet.ts";
import { openText, type Source } from "../../platform/backfill/read-text.ts";
import type { Warehouse } from "../../platform/warehouse/duckdb.ts";
import type { BackfillRow } from "./find-backfill.ts";

/** The file as it was sent, or as it lies in the folder that files may be read from. */
export async function findFile(config: Config, { id, path }: Pick<BackfillRow, "id" | "path">): Promise<string> {
  return path === null ? backfillFolder(config, id).upload : findImport(config, path);
}

/** What records are read from: what a packed file unpacks to. Throws `invalid` where the file is another than it was. */
export async function findData(config: Config, row: BackfillRow): Promise<string> {
  if (row.is_packed) return backfillFolder(config, row.id).unpacked;
  const file = await findFile(config, row);
  const { size, mtimeMs } = await stat(file);
  const isSame = size === row.data_bytes && (row.path === null || Math.floor(mtimeMs) === row.data_changed_ms);
  if (!isSame) throw new AppError("invalid", "The file has changed since the backfill began.");
  return file;
}

export function openData(
  path: string,
  { format }: BackfillRow["mapping"],
  warehouse: Warehouse,
): Source & Partial<Pick<ParquetSource, "rows">> {
  return format.type === "parquet" ? openParquet(path, warehouse) : openText(path, format);
}
