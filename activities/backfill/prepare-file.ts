import { mkdir, stat } from "node:fs/promises";

import { findUnknownColumns } from "../../core/backfill-mapping.ts";
import { AppError } from "../../core/errors.ts";
import { pointerTo } from "../../core/parse.ts";
import { backfillFolder } from "../../platform/backfill/folders.ts";
import { isGzip, readDigest, unpack } from "../../platform/backfill/unpack.ts";
import { backfills } from "../../platform/postgres/schema.ts";
import type { BackfillDeps } from "../backfill.ts";
import { type BackfillName, type BackfillRow, findBackfill, whichBackfill } from "./find-backfill.ts";
import { findFile, openData } from "./open-file.ts";

/** How often the clock is asked while bytes go by. */
const BEAT_EVERY_MS = 2_000;

/** Throws `invalid` where nothing can be made of the file. */
export async function prepareFile(
  { ctx, openWarehouse }: BackfillDeps,
  name: BackfillName,
  { heartbeat, signal }: { heartbeat(): void; signal: AbortSignal },
): Promise<void> {
  const row = await findBackfill(ctx.db, name);
  if (row.state !== "running") throw new AppError("invalid", "The backfill has ended already.");
  if (row.data_digest !== null) return;
  const file = await findFile(ctx.config, row);
  const { mtimeMs } = await stat(file);
  const is_packed = await isGzip(file);
  const folder = backfillFolder(ctx.config, row.id);
  await mkdir(folder.folder, { recursive: true });
  const onBytes = rarely(heartbeat);
  const maxBytes = ctx.config.LIVORA_BACKFILL_MAX_BYTES;
  const content = is_packed
    ? await unpack(file, folder.unpacked, { maxBytes, onBytes, signal })
    : await readDigest(file, onBytes, signal);
  if (content.bytes > maxBytes) throw new AppError("invalid", `The file has more than ${maxBytes} bytes.`);
  const warehouse = openWarehouse();
  try {
    const source = openData(is_packed ? folder.unpacked : file, row.mapping, warehouse);
    checkColumns(row, await source.columns());
    const values = {
      is_packed,
      data_bytes: content.bytes,
      data_digest: content.digest,
      data_rows: (await source.rows?.()) ?? null,
      data_changed_ms: Math.floor(mtimeMs),
    };
    await ctx.db.update(backfills).set(values).where(whichBackfill(name));
  } finally {
    await warehouse.close();
  }
}

function checkColumns({ mapping }: BackfillRow, columns: readonly string[] | null): void {
  const unknown = columns === null ? [] : findUnknownColumns(mapping, columns);
  if (unknown.length === 0) return;
  const faults = unknown.map(({ path, reason }) => ({ path: pointerTo(["mapping", ...path]), reason }));
  throw new AppError("invalid", "The mapping names columns that the file does not have.", { faults });
}

function rarely(heartbeat: () => void): () => void {
  let lastMs = 0;
  return () => {
    const nowMs = Date.now();
    if (nowMs - lastMs < BEAT_EVERY_MS) return;
    lastMs = nowMs;
    heartbeat();
  };
}
