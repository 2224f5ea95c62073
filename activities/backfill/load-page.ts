import { randomUUID } from "node:crypto";

import { and, eq, sql } from "drizzle-orm";

import type { Mapped } from "../../core/backfill/compile-event.ts";
import type { SourceRecord } from "../../core/backfill/compile-value.ts";
import { groupRejects, type Reject, rejectOf, SHOWN_REJECTS } from "../../core/backfill/rejects.ts";
import { AppError, type Fault } from "../../core/errors.ts";
import { findLosses } from "../../core/json-losses.ts";
import { backfillFolder } from "../../platform/backfill/folders.ts";
import type { ReadRecord } from "../../platform/backfill/read-text.ts";
import { writeRejects } from "../../platform/backfill/rejects-file.ts";
import { admitEach } from "../../platform/intake/admit.ts";
import { backfills } from "../../platform/postgres/schema.ts";
import type { BackfillDeps } from "../backfill.ts";
import type { BackfillRow } from "./find-backfill.ts";

/** What changes with each page. */
export type BackfillStand = Pick<
  BackfillRow,
  "position" | "read" | "accepted" | "rejected" | "rejects" | "rejects_bytes" | "reject_groups"
>;

export interface PageRules {
  map(record: SourceRecord): Mapped;
  /** One for all lines of a page. */
  rememberedUnder: ((line: number) => string) | undefined;
}

/**
 * The page's events onto the stream, its rejects into their file, and where to go on into the row, in this order: a death in between
 * brings the page again, with the same events under the same ids. Throws `conflict` where another process has gone on.
 */
export async function loadPage(
  { ctx, append, gate }: BackfillDeps,
  row: BackfillRow,
  before: BackfillStand,
  page: readonly ReadRecord[],
  { map, rememberedUnder }: PageRules,
): Promise<BackfillStand> {
  const { events, slices, rejects } = examine(row, page, map);
  if (!row.is_dry_run && events.length > 0) {
    await append(events, slices, {
      client_id: row.client_id,
      received_at: new Date().toISOString(),
      request_id: `backfill:${row.id}:${randomUUID().slice(0, 8)}`,
      backfill_id: row.id,
      ...(rememberedUnder && { seen_under: rememberedUnder(page[0]?.line ?? 0) }),
    });
    gate.went(events.length);
  }
  const file = backfillFolder(ctx.config, row.id).rejects;
  const after: BackfillStand = {
    position: page.at(-1)?.next ?? before.position,
    read: before.read + page.length,
    accepted: before.accepted + events.length,
    rejected: before.rejected + rejects.length,
    rejects: [...before.rejects, ...rejects].slice(0, SHOWN_REJECTS),
    rejects_bytes: await writeRejects(file, before.rejects_bytes, rejects),
    reject_groups: groupRejects(before.reject_groups, rejects),
  };
  await save(ctx.db, row, before, after);
  return after;
}

function examine(row: BackfillRow, page: readonly ReadRecord[], map: (record: SourceRecord) => Mapped) {
  const faulty = new Map<number, Fault[]>();
  const lines: number[] = [];
  const texts: string[] = [];
  for (const { line, record, faults } of page) {
    const mapped = record === null ? { faults } : map(record);
    const wrong = "faults" in mapped ? mapped.faults : findLosses(mapped.event);
    if (wrong.length > 0 || "faults" in mapped) faulty.set(line, wrong);
    else {
      lines.push(line);
      texts.push(JSON.stringify(mapped.event));
    }
  }
  const { events, slices, refused } = admitEach(texts, row.client_id, Date.now());
  for (const [place, faults] of refused) faulty.set(lines[place] ?? 0, faults);
  const rejects: Reject[] = [...faulty].toSorted(([a], [b]) => a - b).map(([line, faults]) => rejectOf(line, faults));
  return { events, slices, rejects };
}

async function save(
  db: BackfillDeps["ctx"]["db"],
  { id, client_id }: BackfillRow,
  before: BackfillStand,
  after: BackfillStand,
): Promise<void> {
  const isMine = and(
    eq(backfills.id, id),
    eq(backfills.client_id, client_id),
    eq(backfills.state, "running"),
    sql`${backfills.position} = ${JSON.stringify(before.position)}::jsonb`,
  );
  const [saved] = await db.update(backfills).set(after).where(isMine).returning({ id: backfills.id });
  if (saved === undefined) throw new AppError("conflict", "Somebody else goes on with this backfill.");
}
