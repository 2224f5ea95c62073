import { putTemplate } from "../../../crm/put-template.ts";
import { getTemplateInput } from "../../../crm/get-template.ts";
import { templateContentSchema, templateSchema } from "../../../crm/template.ts";
import { defineRoute } from "../../route.ts";

export const putTemplateRoute = defineRoute({
  method: "put",
  path: "/api/v1/templates/{channel}/{name}",
  operationId: "putTemplate",
  tag: "templates",
  summary: "Write a template; it is sent from now on, also by runs under way",
  scope: "admin",
  input: getTemplateInput,
  body: templateContentSchema,
  responses: { 200: { description: "The template as it is now.", schema: templateSchema } },
  handle: async ({ ctx, input, body }) => ({ status: 200, body: await putTemplate(ctx, { ...input, content: body }) }),
});
