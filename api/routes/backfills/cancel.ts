import { backfillSchema } from "../../../crm/backfill.ts";
import { steerBackfill, steerBackfillInput } from "../../../crm/steer-backfill.ts";
import { defineRoute } from "../../route.ts";

export const cancelBackfillRoute = defineRoute({
  method: "post",
  path: "/api/v1/backfills/{id}/cancel",
  operationId: "cancelBackfill",
  tag: "backfills",
  summary: "End a backfill: what has been loaded stays",
  scope: "admin",
  input: steerBackfillInput,
  responses: { 200: { description: "It was told.", schema: backfillSchema } },
  problems: [404, 409],
  handle: async ({ ctx, api, input }) => ({
    status: 200,
    body: await steerBackfill(ctx, api.backfills, input, "cancel"),
  }),
});
