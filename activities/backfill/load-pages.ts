import { setTimeout as sleep } from "node:timers/promises";

import { compileEvent } from "../../core/backfill/compile-event.ts";
import { createRememberedUnder, LINES_TOGETHER } from "../../core/backfill/remembered-under.ts";
import type { BackfillCounts } from "../../core/contracts/backfill.ts";
import { AppError } from "../../core/errors.ts";
import type { ReadRecord } from "../../platform/backfill/read-text.ts";
import type { BackfillDeps } from "../backfill.ts";
import { type BackfillName, findBackfill } from "./find-backfill.ts";
import { type BackfillStand, loadPage } from "./load-page.ts";
import { findData, openData } from "./open-file.ts";

/** One attempt: so long somebody who wants it to pause has to wait. */
const WORK_MS = 4_000;
const MAX_PAGE_RECORDS = 500;
/** In a Parquet file: rows. */
const MAX_PAGE_BYTES = 2 * 1024 * 1024;
const LOOK_EVERY_MS = 50;

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
  const rules = {
    map: compileEvent({ mapping, client_id, digest: data_digest }),
    rememberedUnder: createRememberedUnder(mapping, data_digest),
  };
  const untilMs = Date.now() + WORK_MS;
  const maxRecords = Math.min(MAX_PAGE_RECORDS, row.rate_per_second);
  const warehouse = openWarehouse();
  let stand: BackfillStand = row;
  try {
    const source = openData(await findData(ctx.config, row), mapping, warehouse);
    for await (const page of pagesOf(source.read(row.position), row.position.offset, maxRecords)) {
      if (!row.is_dry_run) {
        if (!(await isCaughtUp(deps, page.length, untilMs, signal))) return loaded(stand, { isHeldUp: stand === row });
        await shares.take(row.id, page.length, row.rate_per_second, signal);
      }
      stand = await loadPage(deps, row, stand, page, rules);
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
      const [first] = page;
      if (first && isApart(first.line, record.line)) {
        yield page;
        page = [];
        begin = first.next.offset;
      }
      page.push(record);
      if (page.length < maxRecords && record.next.offset - begin < MAX_PAGE_BYTES) continue;
      yield page;
      page = [];
      begin = record.next.offset;
    }
  }
  if (page.length > 0) yield page;
}

/** Lines that are remembered apart do not share a page. */
function isApart(a: number, b: number): boolean {
  return Math.floor(a / LINES_TOGETHER) !== Math.floor(b / LINES_TOGETHER);
}

/** Waits for those who read the stream. */
async function isCaughtUp(
  { gate }: BackfillDeps,
  events: number,
  untilMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  while (!(await gate.mayGo(events))) {
    if (Date.now() > untilMs) return false;
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
  return true;
}
