import { and, eq } from "drizzle-orm";
import { z } from "zod";

import { letterSelectionSchema } from "../core/dead-letter-selection.ts";
import { mendLetter } from "../core/dead-letter-event.ts";
import { parse } from "../core/parse.ts";
import { patchSchema } from "../core/patch.ts";
import { IN_ORDER, whereSelection } from "../platform/dead-letter-search.ts";
import { deadLetters } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, logAccess, requireScope } from "./context.ts";

export const previewPatchBody = z
  .strictObject({
    selection: letterSelectionSchema,
    patch: patchSchema.optional().meta({ description: "Left out: the letters as they are." }),
    limit: z.int().min(1).max(50).default(10).meta({ description: "How many letters are tried, oldest first." }),
  })
  .meta({ id: "PatchPreview" });

export const patchPreviewSchema = z.object({
  matching: z.int().meta({ description: "How many open letters the selection has at the moment." }),
  letters: z.array(
    z
      .object({
        id: z.guid(),
        before: z.unknown().meta({ description: "The event as it came; null where the bytes are no JSON." }),
        after: z.unknown(),
        changed: z.array(z.string()).meta({ description: "JSON pointers of what differs." }),
        is_valid: z.boolean().meta({ description: "Whether it would be put back." }),
        faults: z.array(z.object({ path: z.string(), reason: z.string() })),
      })
      .meta({ id: "PatchedLetter" }),
  ),
});

/** What a patch would make of some letters. Nothing is kept, and nothing goes anywhere. */
export async function previewPatch(
  ctx: CrmContext,
  input: z.input<typeof previewPatchBody>,
): Promise<z.infer<typeof patchPreviewSchema>> {
  requireScope(ctx, "admin");
  const { selection, patch, limit } = parse(previewPatchBody, input, "body");
  const { client_id } = ctx.principal;
  const where = and(whereSelection(client_id, selection), eq(deadLetters.state, "open"));
  const { matching, rows } = await inTransaction(ctx, async (tx) => ({
    matching: await tx.$count(deadLetters, where),
    rows: await tx
      .select()
      .from(deadLetters)
      .where(where)
      .orderBy(...IN_ORDER)
      .limit(limit),
  }));
  logAccess(ctx, "dead-letters.preview", `count:${rows.length}`);
  const letters = rows.map((row) => {
    const { before = null, after = null, changed, faults, ready } = mendLetter({ ...row, client_id }, patch ?? null);
    const where = faults.map(({ path, reason }) => ({ path, reason }));
    return { id: row.id, before, after, changed, is_valid: ready !== null, faults: where };
  });
  return { matching, letters };
}
