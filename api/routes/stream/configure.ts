import { z } from "zod";

import { inTransaction, requireScope, writeAudit } from "../../../crm/context.ts";
import { streamOf } from "../../../platform/stream/stream-name.ts";
import { defineRoute } from "../../route.ts";
import { describeScaling } from "./get.ts";
import { configureSchema, kindSchema, scalingSchema } from "./schemas.ts";

export const configureStreamRoute = defineRoute({
  method: "post",
  path: "/api/v1/stream/{stream}/scaling",
  operationId: "configureStream",
  tag: "operations",
  summary: "Pauses and resumes splitting and merging, makes it a dry run, moves its bounds",
  scope: "operator",
  input: z.object({ stream: kindSchema }),
  body: configureSchema,
  responses: { 200: { description: "As it is from now on.", schema: scalingSchema } },
  problems: [404],
  async handle({ ctx, api, input: { stream }, body }) {
    requireScope(ctx, "operator");
    const status = await api.shards.configure(streamOf(api.config, stream), body);
    const details = { ...body.policy, ...(body.mode && { mode: body.mode }) };
    await inTransaction(ctx, (tx) =>
      writeAudit(ctx, tx, { action: "stream.configure", subject: `stream:${stream}`, details }),
    );
    return { status: 200, body: describeScaling(status) };
  },
});
