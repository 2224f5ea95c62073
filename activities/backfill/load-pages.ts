import { setTimeout as sleep } from "node:timers/promises";

import { compileEvent } from "../../core/backfill/compile-event.ts";
import type { BackfillCounts } from "../../core/contracts/backfill.ts";
import { AppError } from "../../core/errors.ts";
import type { ReadRecord } from "../../platform/backfill/read-text.ts";
import { readWatermark } from "../../platform/watermark.ts";
import type { BackfillDeps } from "../backfill.ts";
import { type BackfillName, findBackfill } from "./find-backfill.ts";
import { type BackfillStand, loadPage } from "./load-page.ts";
import { findData, openData } from "./open-file.ts";

/** One attempt: so long somebody who wants it to pause has to wait. */
const WORK_MS = 4_000;
const MAX_PAGE_RECORDS = 500;
/** In a Parquet file: rows. */
const MAX_PAGE_BYTES = 2 * 1024 * 1024;
/** Events of now do not wait behind those of then for longer. */
const MAX_LAG_MS = 3_000;
const LOOK_EVERY_MS = 100;

export interface Loaded {
  counts: BackfillCounts;
  isDone: boolean;
  isHeldUp: boolean;
}

/** Throws `invalid` where the file cannot be read any further. */
export async function loadPages(deps: BackfillDeps, name: BackfillName, signal: AbortSignal): Promise<Loaded> {
  const { ctx, shares, openWarehouse } = deps;
  const row = await findBackfill(ctx.db, name);
  const { state, data_digest, mapping, client_id } = row;
  if (state !== "running" || data_digest === null) throw new AppError("invalid", "The backfill has ended already.");
  const map = compileEvent({ mapping, client_id, digest: data_digest });
  const untilMs = Date.now() + WORK_MS;
  const maxRecords = Math.min(MAX_PAGE_RECORDS, row.rate_per_second);
  const warehouse = openWarehouse();
  let stand: BackfillStand = row;
  try {
    const source = openData(await findData(ctx.config, row), mapping, warehouse);
    for await (const page of pagesOf(source.read(row.position), row.position.offset, maxRecords)) {
      if (!row.is_dry_run) {
        if (!(await isCaughtUp(deps, untilMs, signal))) return loaded(stand, { isHeldUp: true });
        await shares.take(row.id, page.length, row.rate_per_second, signal);
      }
      stand = await loadPage(deps, row, stand, page, map);
      if (Date.now() > untilMs) return loaded(stand, {});
    }
    return loaded(stand, { isDone: true });
  } finally {
    await warehouse.close();
  }
}

function loaded({ read, accepted, rejected }: BackfillStand, more: Partial<Loaded>): Loaded {
  return { counts: { read, accepted, rejected }, isDone: false, isHeldUp: false, ...more };
}

async function* pagesOf(
  read: AsyncIterable<ReadRecord[]>,
  from: number,
  maxRecords: number,
): AsyncGenerator<ReadRecord[]> {
  let page: ReadRecord[] = [];
  let begin = from;
  for await (const records of read) {
    for (const record of records) {
      page.push(record);
      if (page.length < maxRecords && record.next.offset - begin < MAX_PAGE_BYTES) continue;
      yield page;
      page = [];
      begin = record.next.offset;
    }
  }
  if (page.length > 0) yield page;
}

/** Waits for the enrichment, which what comes in now also waits for; not where nobody knows how far that is. */
async function isCaughtUp({ ctx }: BackfillDeps, untilMs: number, signal: AbortSignal): Promise<boolean> {
  for (;;) {
    const handledMs = await readWatermark(ctx.redis, "enrich").catch(() => 0);
    if (handledMs === 0 || Date.now() - handledMs <= MAX_LAG_MS) return true;
    if (Date.now() > untilMs) return false;
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}
