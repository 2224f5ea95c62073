import { and, desc, eq } from "drizzle-orm";
import { z } from "zod";

import { channelSchema } from "../core/message.ts";
import { parse } from "../core/parse.ts";
import { deliveries } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { type Delivery, DELIVERY_STATES, viewDelivery } from "./delivery.ts";
import { campaignIdSchema, findCampaign } from "./find-campaign.ts";
import { afterCursor, type Page, pageInput, toPage } from "./page.ts";

export const listCampaignDeliveriesInput = z.object({
  id: campaignIdSchema,
  state: z.enum(DELIVERY_STATES).optional(),
  channel: channelSchema.optional(),
  run_id: z.guid().optional(),
  ...pageInput,
});

/** What became of each message of a campaign, newest first. */
export async function listCampaignDeliveries(
  ctx: CrmContext,
  input: z.input<typeof listCampaignDeliveriesInput>,
): Promise<Page<"deliveries", Delivery>> {
  requireScope(ctx, "read");
  const { id, limit, cursor, ...filter } = parse(listCampaignDeliveriesInput, input, "request");
  const clientId = ctx.principal.client_id;
  const rows = await inTransaction(ctx, async (tx) => {
    await findCampaign(tx, clientId, id);
    const where = and(
      eq(deliveries.client_id, clientId),
      eq(deliveries.campaign_id, id),
      filter.state && eq(deliveries.state, filter.state),
      filter.channel && eq(deliveries.channel, filter.channel),
      filter.run_id === undefined ? undefined : eq(deliveries.run_id, filter.run_id),
      afterCursor(deliveries.created_at, deliveries.id, cursor),
    );
    const orderBy = [desc(deliveries.created_at), desc(deliveries.id)];
    return tx.query.deliveries.findMany({ where, orderBy, limit: limit + 1 });
  });
  return toPage("deliveries", rows, {
    limit,
    placeOf: (row) => ({ at: row.created_at, id: row.id }),
    view: viewDelivery,
  });
}
