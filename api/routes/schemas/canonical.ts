import { z } from "zod";

import { CANONICAL_VERSIONS } from "../../../core/event-schema/canonical-event.ts";
import { requireScope } from "../../../crm/context.ts";
import { defineRoute } from "../../route.ts";

const schema = z
  .object({
    versions: z
      .array(
        z.object({
          version: z.int(),
          schema: z.record(z.string(), z.unknown()).meta({ description: "JSON Schema 2020-12." }),
          rules: z.array(z.string()).meta({ description: "What JSON Schema does not say, in words." }),
        }),
      )
      .meta({ description: "Newest first; the first is what the edge holds events to." }),
  })
  .meta({ id: "CanonicalEvent" });

export const getCanonicalEventRoute = defineRoute({
  method: "get",
  path: "/api/v1/canonical-event",
  operationId: "getCanonicalEvent",
  tag: "schemas",
  summary: "The versions of the canonical event, the same for all clients",
  scope: "read",
  responses: { 200: { description: "All versions.", schema } },
  async handle({ ctx }) {
    requireScope(ctx, "read");
    return { status: 200, body: { versions: CANONICAL_VERSIONS.toReversed() } };
  },
});
