import { and, eq, sql } from "drizzle-orm";
import { z } from "zod";

import { AppError } from "../core/errors.ts";
import { parse } from "../core/parse.ts";
import { embeds } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope, writeAudit } from "./context.ts";
import { type Embed, viewEmbed } from "./embed.ts";

export const revokeEmbedInput = z.object({ id: z.guid() });

/** From now on the link shows nothing. Revoked again, it stays as it is. */
export async function revokeEmbed(ctx: CrmContext, input: z.input<typeof revokeEmbedInput>): Promise<Embed> {
  requireScope(ctx, "admin");
  const { id } = parse(revokeEmbedInput, input, "request");
  return inTransaction(ctx, async (tx) => {
    const [row] = await tx
      .update(embeds)
      .set({ revoked_at: sql`coalesce(${embeds.revoked_at}, now())` })
      .where(and(eq(embeds.client_id, ctx.principal.client_id), eq(embeds.id, id)))
      .returning();
    if (!row) throw new AppError("not_found", "There is no such link.");
    await writeAudit(ctx, tx, { action: "embed.revoke", subject: `embed:${id}` });
    return viewEmbed(row);
  });
}
