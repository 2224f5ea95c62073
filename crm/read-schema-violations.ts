import { z } from "zod";

import { AppError } from "../core/errors.ts";
import { SCHEMA_MODES } from "../core/event-schema/registered-schema.ts";
import { sumViolations, VIOLATION_DAYS } from "../core/event-schema/violations.ts";
import { parse } from "../core/parse.ts";
import { DAY_MS } from "../core/time.ts";
import { readViolations } from "../platform/schema-violations.ts";
import type { UserStore } from "../platform/user-store.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { eventTypeSchema } from "./event-schema.ts";
import { requireEventSchema } from "./find-event-schema.ts";
import { timeSchema } from "./page.ts";

const momentSchema = z.iso.datetime({ offset: true });

export const readSchemaViolationsInput = z.object({
  event_type: eventTypeSchema,
  since: momentSchema
    .optional()
    .meta({ description: "The hour that it lies in is the first. A day before `until`, where left out." }),
  until: momentSchema.optional().meta({ description: "Hours that begin before it. Now, where left out." }),
});

export const schemaViolationsSchema = z
  .object({
    event_type: z.string(),
    since: timeSchema,
    until: timeSchema,
    events: z.int().meta({ description: "Events that did not fit, each once." }),
    violations: z
      .array(
        z.object({
          version: z.int().meta({ description: "Which they were held to." }),
          mode: z
            .enum(SCHEMA_MODES)
            .meta({ description: "`observe`: they were taken. `enforce`: they are dead letters." }),
          path: z
            .string()
            .meta({ description: "JSON pointer into the event; `*` for elements and properties without a name." }),
          reason: z.string(),
          count: z.int(),
          first_seen: timeSchema.meta({ description: "When the first of them was received." }),
          last_seen: timeSchema,
          sample_event_id: z.string().meta({ description: "The first of them." }),
          hours: z
            .array(z.object({ hour: z.string().meta({ example: "2026-11-21T10:00Z" }), count: z.int() }))
            .meta({ description: "By hour of receipt, oldest first." }),
        }),
      )
      .meta({ description: "The most frequent first." }),
  })
  .meta({ id: "SchemaViolations" });

/** What did not fit, of the last month at the most, by what was wrong and by hour. Throws `not_found`. */
export async function readSchemaViolations(
  ctx: CrmContext & { store: Pick<UserStore, "read"> },
  input: z.input<typeof readSchemaViolationsInput>,
): Promise<z.infer<typeof schemaViolationsSchema>> {
  requireScope(ctx, "read");
  const { event_type, since, until } = parse(readSchemaViolationsInput, input, "request");
  const toMs = until === undefined ? Date.now() : Date.parse(until);
  const fromMs = since === undefined ? toMs - DAY_MS : Date.parse(since);
  if (!(fromMs < toMs) || toMs - fromMs > VIOLATION_DAYS * DAY_MS) {
    const faults = [{ path: "/since", reason: `must be before until, by ${VIOLATION_DAYS} days at the most` }];
    throw new AppError("invalid", "The request is not valid.", { faults });
  }
  const clientId = ctx.principal.client_id;
  await inTransaction(ctx, (tx) => requireEventSchema(tx, { client_id: clientId, event_type }));
  const { events, misfits } = sumViolations(
    await readViolations(ctx.store, { clientId, eventType: event_type }, { fromMs, toMs }),
  );
  const [sinceAt, untilAt] = [fromMs, toMs].map((ms) => new Date(ms).toISOString()) as [string, string];
  return { event_type, since: sinceAt, until: untilAt, events, violations: misfits };
}
