import { discardDeadLetters, discardDeadLettersBody, discardedSchema } from "../../../crm/discard-dead-letters.ts";
import { defineRoute } from "../../route.ts";

export const discardDeadLettersRoute = defineRoute({
  method: "post",
  path: "/api/v1/dead-letter-discards",
  operationId: "discardDeadLetters",
  tag: "dead letters",
  summary: "Give open dead letters up, with a reason; they are kept",
  scope: "admin",
  body: discardDeadLettersBody,
  responses: { 200: { description: "How many were given up.", schema: discardedSchema } },
  handle: async ({ ctx, body }) => ({ status: 200, body: await discardDeadLetters(ctx, body) }),
});
