import { and, asc, eq, gt } from "drizzle-orm";
import { z } from "zod";

import { parse } from "../core/parse.ts";
import { eventSchemas } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { type EventSchema, eventTypeSchema, viewEventSchema } from "./event-schema.ts";
import { type Page, pageInput } from "./page.ts";

export const listEventSchemasInput = z.object({
  ...pageInput,
  cursor: eventTypeSchema.optional().meta({ description: "`next_cursor` of the page before." }),
});

/** All event types that have a schema, by name. */
export async function listEventSchemas(
  ctx: CrmContext,
  input: z.input<typeof listEventSchemasInput>,
): Promise<Page<"schemas", EventSchema>> {
  requireScope(ctx, "read");
  const { limit, cursor } = parse(listEventSchemasInput, input, "request");
  const rows = await inTransaction(ctx, (tx) => {
    const { client_id, event_type } = eventSchemas;
    const where = and(
      eq(client_id, ctx.principal.client_id),
      cursor === undefined ? undefined : gt(event_type, cursor),
    );
    return tx.query.eventSchemas.findMany({ where, orderBy: [asc(event_type)], limit: limit + 1 });
  });
  const page = rows.slice(0, limit).map(viewEventSchema);
  return { schemas: page, next_cursor: rows.length > limit ? (page.at(-1)?.event_type ?? null) : null };
}
