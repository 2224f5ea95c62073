import { getDeadLetter, getDeadLetterInput, wholeDeadLetterSchema } from "../../../crm/get-dead-letter.ts";
import { defineRoute } from "../../route.ts";

export const getDeadLetterRoute = defineRoute({
  method: "get",
  path: "/api/v1/dead-letters/{id}",
  operationId: "getDeadLetter",
  tag: "dead letters",
  summary: "One dead letter with its bytes as they came and all that has happened to it",
  scope: "admin",
  input: getDeadLetterInput,
  responses: { 200: { description: "It.", schema: wholeDeadLetterSchema } },
  problems: [404],
  handle: async ({ ctx, input }) => ({ status: 200, body: await getDeadLetter(ctx, input) }),
});
