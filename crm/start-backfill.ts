import { eq } from "drizzle-orm";
import { z } from "zod";

import { parseMapping } from "../core/backfill-mapping.ts";
import { FILE_START } from "../core/backfill/record-splitter.ts";
import { DEFAULT_BACKFILL_RATE, MAX_BACKFILL_RATE } from "../core/contracts/backfill.ts";
import { parse } from "../core/parse.ts";
import { backfills } from "../platform/postgres/schema.ts";
import { type Backfill, findBackfill, viewBackfill } from "./backfill.ts";
import type { BackfillClient } from "./backfill-client.ts";
import { type CrmContext, inTransaction, requireScope, writeAudit } from "./context.ts";

export const backfillOptions = z.strictObject({
  mapping: z.unknown(),
  rate_per_second: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_BACKFILL_RATE)
    .default(DEFAULT_BACKFILL_RATE)
    .meta({ description: "Events a second, at the most." }),
  note: z.string().min(1).max(300).optional(),
});

export interface BackfillRequest {
  id: string;
  /** As they were sent: `backfillOptions`. */
  options: unknown;
  is_dry_run: boolean;
  /** Where the file was sent, `path` is null. */
  file: { path: string | null; name: string | null; bytes: number };
}

/**
 * Loads a file that is there. Throws `invalid`, naming what is wrong with the mapping; `unavailable` where Temporal is away: then it is
 * entered as failed, and has done nothing.
 */
export async function startBackfill(
  ctx: CrmContext,
  client: BackfillClient,
  { id, options, is_dry_run, file }: BackfillRequest,
): Promise<Backfill> {
  requireScope(ctx, "admin");
  const { rate_per_second, note, mapping: given } = parse(backfillOptions, options, "body");
  const mapping = parseMapping(given, "/mapping");
  const { client_id, actor, request_id } = ctx.principal;
  await inTransaction(ctx, async (tx) => {
    await tx.insert(backfills).values({
      id,
      client_id,
      is_dry_run,
      mapping,
      rate_per_second,
      note,
      path: file.path,
      file_name: file.name,
      file_bytes: file.bytes,
      position: FILE_START,
      actor,
      request_id,
    });
    const details = { is_dry_run, rate_per_second, bytes: file.bytes };
    await writeAudit(ctx, tx, { action: "backfill.start", subject: `backfill:${id}`, details });
  });
  try {
    await client.start({ client_id, backfill_id: id });
  } catch (error) {
    await giveUp(ctx, id);
    throw error;
  }
  return viewBackfill(await findBackfill(ctx, id), null);
}

/** Should its workflow have begun all the same, it finds this, and ends. */
async function giveUp(ctx: CrmContext, id: string): Promise<void> {
  const failure = { message: "It could not be begun.", faults: [] };
  const values = { state: "failed", failure, ended_at: new Date().toISOString() } as const;
  await inTransaction(ctx, (tx) => tx.update(backfills).set(values).where(eq(backfills.id, id)));
}
