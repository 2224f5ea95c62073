import { backfillSchema } from "../../../crm/backfill.ts";
import { getBackfill, getBackfillInput } from "../../../crm/get-backfill.ts";
import { defineRoute } from "../../route.ts";

export const getBackfillRoute = defineRoute({
  method: "get",
  path: "/api/v1/backfills/{id}",
  operationId: "getBackfill",
  tag: "backfills",
  summary: "How far a backfill has come, and what was refused",
  scope: "admin",
  input: getBackfillInput,
  responses: { 200: { description: "Its state and counts.", schema: backfillSchema } },
  problems: [404],
  handle: async ({ ctx, api, input }) => ({ status: 200, body: await getBackfill(ctx, api.backfills, input) }),
});
