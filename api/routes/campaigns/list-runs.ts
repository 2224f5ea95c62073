import { listCampaignRuns, listCampaignRunsInput } from "../../../crm/list-campaign-runs.ts";
import { pageOf } from "../../../crm/page.ts";
import { runSchema } from "../../../crm/run.ts";
import { defineRoute } from "../../route.ts";

export const listRunsRoute = defineRoute({
  method: "get",
  path: "/api/v1/campaigns/{id}/runs",
  operationId: "listCampaignRuns",
  tag: "campaigns",
  summary: "Who entered and where each stands, newest first",
  scope: "read",
  input: listCampaignRunsInput,
  responses: { 200: { description: "A page of them.", schema: pageOf("runs", runSchema) } },
  problems: [404],
  handle: async ({ ctx, input }) => ({ status: 200, body: await listCampaignRuns(ctx, input) }),
});
