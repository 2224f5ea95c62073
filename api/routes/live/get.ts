import { liveSchema, readLive, readLiveInput } from "../../../crm/read-live.ts";
import { defineRoute } from "../../route.ts";

export const getLiveRoute = defineRoute({
  method: "get",
  path: "/api/v1/live",
  operationId: "getLive",
  tag: "operations",
  summary: "Events by minute and type, as they come in",
  scope: "read",
  input: readLiveInput,
  responses: { 200: { description: "The last minutes.", schema: liveSchema } },
  handle: async ({ api, ctx, input }) => ({ status: 200, body: await readLive({ ...ctx, store: api.store }, input) }),
});
