import { getTemplate, getTemplateInput } from "../../../crm/get-template.ts";
import { templateSchema } from "../../../crm/template.ts";
import { defineRoute } from "../../route.ts";

export const getTemplateRoute = defineRoute({
  method: "get",
  path: "/api/v1/templates/{channel}/{name}",
  operationId: "getTemplate",
  tag: "templates",
  summary: "A template as it is sent",
  scope: "read",
  input: getTemplateInput,
  responses: { 200: { description: "The template.", schema: templateSchema } },
  problems: [404],
  handle: async ({ ctx, input }) => ({ status: 200, body: await getTemplate(ctx, input) }),
});
