import { z } from "zod";

import { auditSchema, listAudits, listAuditsInput } from "../../../crm/list-audits.ts";
import { defineRoute } from "../../route.ts";

export const listAuditsRoute = defineRoute({
  method: "get",
  path: "/api/v1/audits",
  operationId: "listAudits",
  tag: "operations",
  summary: "Hour by hour, whether every event and message is accounted for, by the latest audit of each",
  scope: "read",
  input: listAuditsInput,
  responses: { 200: { description: "Newest hour first.", schema: z.object({ audits: z.array(auditSchema) }) } },
  handle: async ({ ctx, input }) => ({ status: 200, body: await listAudits(ctx, input) }),
});
