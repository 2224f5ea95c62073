import { and, desc, eq, lt } from "drizzle-orm";
import { z } from "zod";

import { parse } from "../core/parse.ts";
import { eventSchemaVersions } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import {
  eventSchemaSchema,
  eventSchemaVersionSchema,
  eventTypeSchema,
  viewEventSchema,
  viewVersion,
} from "./event-schema.ts";
import { requireEventSchema } from "./find-event-schema.ts";
import { pageInput } from "./page.ts";

export const getEventSchemaInput = z.object({
  event_type: eventTypeSchema,
  limit: pageInput.limit,
  cursor: z.coerce
    .number()
    .int()
    .min(1)
    .max(2_147_483_647)
    .optional()
    .meta({ description: "`next_cursor` of the page before." }),
});

export const eventSchemaVersionsSchema = z
  .object({
    ...eventSchemaSchema.shape,
    versions: z.array(eventSchemaVersionSchema).meta({ description: "Newest first." }),
    next_cursor: z.string().nullable().meta({ description: "Hand it back as `cursor` for the next page." }),
  })
  .meta({ id: "EventSchemaVersions" });

/** A schema's settings and versions, newest first. Throws `not_found`. */
export async function getEventSchema(
  ctx: CrmContext,
  input: z.input<typeof getEventSchemaInput>,
): Promise<z.infer<typeof eventSchemaVersionsSchema>> {
  requireScope(ctx, "read");
  const { event_type, limit, cursor } = parse(getEventSchemaInput, input, "request");
  const key = { client_id: ctx.principal.client_id, event_type };
  const [schema, rows] = await inTransaction(ctx, async (tx) => {
    const found = await requireEventSchema(tx, key);
    const { client_id, event_type: type, version } = eventSchemaVersions;
    const versions = await tx
      .select()
      .from(eventSchemaVersions)
      .where(and(eq(client_id, key.client_id), eq(type, event_type), cursor ? lt(version, cursor) : undefined))
      .orderBy(desc(version))
      .limit(limit + 1);
    return [found, versions] as const;
  });
  const versions = rows.slice(0, limit).map(viewVersion);
  const next_cursor = rows.length > limit ? String(versions.at(-1)?.version) : null;
  return { ...viewEventSchema(schema), versions, next_cursor };
}
