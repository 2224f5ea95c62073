import { deadLetterSchema } from "../../../crm/dead-letter.ts";
import { listDeadLetters, listDeadLettersInput } from "../../../crm/list-dead-letters.ts";
import { pageOf } from "../../../crm/page.ts";
import { defineRoute } from "../../route.ts";

export const listDeadLettersRoute = defineRoute({
  method: "get",
  path: "/api/v1/dead-letters",
  operationId: "listDeadLetters",
  tag: "dead letters",
  summary: "Events that could not be processed, with where and why, newest first",
  scope: "admin",
  input: listDeadLettersInput,
  responses: { 200: { description: "A page of them.", schema: pageOf("dead_letters", deadLetterSchema) } },
  handle: async ({ ctx, input }) => ({ status: 200, body: await listDeadLetters(ctx, input) }),
});
