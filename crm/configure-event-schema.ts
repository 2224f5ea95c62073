import { sql } from "drizzle-orm";
import { z } from "zod";

import { parse } from "../core/parse.ts";
import { eventSchemas } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope, writeAudit } from "./context.ts";
import {
  compatibilitySchema,
  type EventSchema,
  eventTypeSchema,
  inForceFrom,
  schemaModeSchema,
  viewEventSchema,
} from "./event-schema.ts";
import { isEventSchema, requireEventSchema } from "./find-event-schema.ts";

export const configureEventSchemaInput = z.object({ event_type: eventTypeSchema });

export const eventSchemaSettingsSchema = z
  .strictObject({ mode: schemaModeSchema.optional(), compatibility: compatibilitySchema.optional() })
  .refine(({ mode, compatibility }) => mode ?? compatibility, "one of mode and compatibility is required")
  .meta({ id: "EventSchemaSettings" });

/** What becomes of events that do not fit, from in five seconds on; and what the next version must be able to do. Throws `not_found`. */
export async function configureEventSchema(
  ctx: CrmContext,
  input: z.input<typeof configureEventSchemaInput>,
  body: z.input<typeof eventSchemaSettingsSchema>,
): Promise<EventSchema> {
  requireScope(ctx, "admin");
  const { event_type } = parse(configureEventSchemaInput, input, "request");
  const { mode, compatibility } = parse(eventSchemaSettingsSchema, body, "body");
  const key = { client_id: ctx.principal.client_id, event_type };
  const row = await inTransaction(ctx, async (tx) => {
    const before = await requireEventSchema(tx, key, true);
    const { mode_from, mode: last, mode_before } = eventSchemas;
    const newMode = mode !== undefined &&
      mode !== before.mode && {
        mode,
        mode_before: sql`case when ${mode_from} <= clock_timestamp() then ${last} else ${mode_before} end`,
        mode_from: inForceFrom,
      };
    const [after] = await tx
      .update(eventSchemas)
      .set({ ...newMode, ...(compatibility && { compatibility }), changed_at: sql`clock_timestamp()` })
      .where(isEventSchema(key))
      .returning();
    const details = { ...(mode && { mode }), ...(compatibility && { compatibility }) };
    await writeAudit(ctx, tx, { action: "schema.configure", subject: `schema:${event_type}`, details });
    return after!;
  });
  return viewEventSchema(row);
}
