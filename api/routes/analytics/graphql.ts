import { z } from "zod";

import { requireScope } from "../../../crm/context.ts";
import { answerQuery } from "../../graphql/answer-query.ts";
import { defineRoute } from "../../route.ts";

const body = z.object({
  query: z.string().min(1).max(100_000),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().max(200).nullish(),
  extensions: z.record(z.string(), z.unknown()).nullish(),
});

const schema = z
  .looseObject({
    data: z.unknown().optional(),
    errors: z
      .array(z.looseObject({ message: z.string(), extensions: z.record(z.string(), z.unknown()).optional() }))
      .optional(),
  })
  .meta({ id: "GraphqlAnswer" });

const type = ["application/json", "application/graphql-response+json"];

export const graphqlRoute = defineRoute({
  method: "post",
  path: "/api/v1/graphql",
  operationId: "askGraphql",
  tag: "analytics",
  summary: "Several reports at once, by GraphQL: see docs/api/schema.graphql",
  scope: "read",
  body,
  responses: {
    200: { description: "What was asked for; what went wrong stands in `errors`.", schema, type },
    400: { description: "It is no query that can be run.", schema, type },
    406: { description: "Neither of the two media types is taken." },
  },
  async handle(call) {
    requireScope(call.ctx, "read");
    return answerQuery(call as unknown as Parameters<typeof answerQuery>[0]);
  },
});
