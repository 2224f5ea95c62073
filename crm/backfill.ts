import { and, eq } from "drizzle-orm";
import { z } from "zod";

import { mappingSchema } from "../core/backfill-mapping.ts";
import { BACKFILL_ENDS, type BackfillProgress, backfillWorkflowId } from "../core/contracts/backfill.ts";
import { AppError } from "../core/errors.ts";
import { backfills } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction } from "./context.ts";
import { isoTime, timeSchema } from "./page.ts";

const count = z.int().min(0);
const fault = z.object({ path: z.string().meta({ description: "JSON pointer into the event." }), reason: z.string() });

export const backfillSchema = z
  .object({
    backfill_id: z.guid(),
    workflow_id: z.string(),
    state: z.enum(["running", "paused", ...BACKFILL_ENDS]),
    is_held_up: z.boolean().meta({ description: "It waits for the stream's consumers, which are behind." }),
    is_dry_run: z.boolean().meta({ description: "Nothing is put on the stream." }),
    read: count.meta({ description: "Records of the file so far: lines, or a Parquet file's rows." }),
    accepted: count.meta({ description: "The stream has acknowledged them; in a dry run it would be asked to." }),
    rejected: count,
    rejects: z
      .array(fault.extend({ line: z.int(), others: z.array(fault).optional() }))
      .meta({ description: "The first hundred; `…/rejects` has all." }),
    reject_groups: z
      .array(fault.extend({ count, first_line: z.int() }))
      .meta({ description: "By what is wrong, the most frequent first." }),
    progress: z.number().min(0).max(1).nullable().meta({ description: "The part of the file that has been read." }),
    failure: z.object({ message: z.string(), errors: z.array(fault) }).nullable(),
    file: z.object({
      name: z.string().nullable(),
      path: z.string().nullable().meta({ description: "Where it was not sent: below the folder for imports." }),
      bytes: count,
      unpacked_bytes: count.nullable(),
      sha256: z.string().nullable().meta({ description: "Of what it unpacks to." }),
    }),
    mapping: mappingSchema,
    rate_per_second: z.int(),
    note: z.string().nullable(),
    actor: z.string(),
    created_at: timeSchema,
    ended_at: timeSchema.nullable(),
  })
  .meta({ id: "Backfill" });

export type Backfill = z.infer<typeof backfillSchema>;
export type BackfillRow = typeof backfills.$inferSelect;

/** As its row has it; `progress` is what its workflow says, while it runs. */
export function viewBackfill(row: BackfillRow, progress: BackfillProgress | null): Backfill {
  const { id, client_id, is_dry_run, read, accepted, rejected, rejects, reject_groups, failure } = row;
  const { rate_per_second, note, actor, mapping } = row;
  const isOver = row.state !== "running";
  return {
    backfill_id: id,
    workflow_id: backfillWorkflowId(client_id, id),
    state: isOver ? row.state : (progress?.state ?? "running"),
    is_held_up: !isOver && (progress?.is_held_up ?? false),
    is_dry_run,
    read,
    accepted,
    rejected,
    rejects,
    reject_groups,
    progress: partRead(row),
    failure: failure && { message: failure.message, errors: failure.faults },
    file: {
      name: row.file_name,
      path: row.path,
      bytes: row.file_bytes,
      unpacked_bytes: row.data_bytes,
      sha256: row.data_digest,
    },
    mapping,
    rate_per_second,
    note,
    actor,
    created_at: isoTime(row.created_at),
    ended_at: isoTime(row.ended_at),
  };
}

function partRead({ state, position, data_bytes, data_rows }: BackfillRow): number | null {
  if (state === "done") return 1;
  const total = data_rows ?? data_bytes;
  if (total === null) return null;
  return total === 0 ? 1 : Math.min(1, position.offset / total);
}

/** Throws `not_found`. */
export async function findBackfill(ctx: CrmContext, id: string): Promise<BackfillRow> {
  const where = and(eq(backfills.client_id, ctx.principal.client_id), eq(backfills.id, id));
  const row = await inTransaction(ctx, (tx) => tx.query.backfills.findFirst({ where }));
  if (row === undefined) throw new AppError("not_found", "There is no such backfill.");
  return row;
}
