import { and, desc, eq } from "drizzle-orm";
import { z } from "zod";

import { parse } from "../core/parse.ts";
import { embeds } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { type Embed, viewEmbed } from "./embed.ts";
import { afterCursor, type Page, pageInput, toPage } from "./page.ts";

export const listEmbedsInput = z.object(pageInput);

/** Newest first, also those that are over. */
export async function listEmbeds(
  ctx: CrmContext,
  input: z.input<typeof listEmbedsInput>,
): Promise<Page<"embeds", Embed>> {
  requireScope(ctx, "read");
  const { limit, cursor } = parse(listEmbedsInput, input, "query");
  const { created_at, id, client_id } = embeds;
  const rows = await inTransaction(ctx, (tx) =>
    tx
      .select()
      .from(embeds)
      .where(and(eq(client_id, ctx.principal.client_id), afterCursor(created_at, id, cursor)))
      .orderBy(desc(created_at), desc(id))
      .limit(limit + 1),
  );
  const placeOf = (row: (typeof rows)[number]) => ({ at: row.created_at, id: row.id });
  return toPage("embeds", rows, { limit, placeOf, view: viewEmbed });
}
