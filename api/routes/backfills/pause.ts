import { backfillSchema } from "../../../crm/backfill.ts";
import { steerBackfill, steerBackfillInput } from "../../../crm/steer-backfill.ts";
import { defineRoute } from "../../route.ts";

export const pauseBackfillRoute = defineRoute({
  method: "post",
  path: "/api/v1/backfills/{id}/pause",
  operationId: "pauseBackfill",
  tag: "backfills",
  summary: "Hold a backfill after the pages under way",
  scope: "admin",
  input: steerBackfillInput,
  responses: { 200: { description: "It was told.", schema: backfillSchema } },
  problems: [404, 409],
  handle: async ({ ctx, api, input }) => ({
    status: 200,
    body: await steerBackfill(ctx, api.backfills, input, "pause"),
  }),
});
