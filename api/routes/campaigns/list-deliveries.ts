import { deliverySchema } from "../../../crm/delivery.ts";
import { listCampaignDeliveries, listCampaignDeliveriesInput } from "../../../crm/list-campaign-deliveries.ts";
import { pageOf } from "../../../crm/page.ts";
import { defineRoute } from "../../route.ts";

export const listDeliveriesRoute = defineRoute({
  method: "get",
  path: "/api/v1/campaigns/{id}/deliveries",
  operationId: "listCampaignDeliveries",
  tag: "campaigns",
  summary: "What became of each message, newest first; a message that was not sent says why",
  scope: "read",
  input: listCampaignDeliveriesInput,
  responses: { 200: { description: "A page of them.", schema: pageOf("deliveries", deliverySchema) } },
  problems: [404],
  handle: async ({ ctx, input }) => ({ status: 200, body: await listCampaignDeliveries(ctx, input) }),
});
