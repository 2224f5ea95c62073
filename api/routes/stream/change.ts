import { z } from "zod";

import { AppError } from "../../../core/errors.ts";
import { inTransaction, requireScope, writeAudit } from "../../../crm/context.ts";
import { streamOf } from "../../../platform/stream/stream-name.ts";
import { defineRoute } from "../../route.ts";
import { changeSchema, kindSchema } from "./schemas.ts";

export const changeStreamRoute = defineRoute({
  method: "post",
  path: "/api/v1/stream/{stream}/changes",
  operationId: "changeStream",
  tag: "operations",
  summary: "Splits or merges shards by hand, within the bounds and whatever the mode",
  scope: "operator",
  input: z.object({ stream: kindSchema }),
  body: changeSchema,
  responses: {
    202: { description: "Kinesis is at it.", schema: z.object({ stream: kindSchema, change: changeSchema }) },
  },
  problems: [404, 409],
  async handle({ ctx, api, input: { stream }, body: change }) {
    requireScope(ctx, "operator");
    const outcome = await api.shards.change(streamOf(api.config, stream), { change, by: ctx.principal.actor });
    if (outcome.state === "refused") throw new AppError("conflict", `Not done: ${outcome.reason}.`);
    const details = { change: JSON.stringify(change) };
    await inTransaction(ctx, (tx) =>
      writeAudit(ctx, tx, { action: "stream.change", subject: `stream:${stream}`, details }),
    );
    return { status: 202, body: { stream, change } };
  },
});
