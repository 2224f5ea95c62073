import { deadLetterGroupsSchema, groupDeadLetters, groupDeadLettersInput } from "../../../crm/group-dead-letters.ts";
import { defineRoute } from "../../route.ts";

export const groupDeadLettersRoute = defineRoute({
  method: "get",
  path: "/api/v1/dead-letter-groups",
  operationId: "groupDeadLetters",
  tag: "dead letters",
  summary: "Dead letters by stage and reason, the largest group first",
  scope: "admin",
  input: groupDeadLettersInput,
  responses: { 200: { description: "How many, since when, and one as an example.", schema: deadLetterGroupsSchema } },
  handle: async ({ ctx, input }) => ({ status: 200, body: await groupDeadLetters(ctx, input) }),
});
