import { and, desc, eq } from "drizzle-orm";
import { z } from "zod";

import { parse } from "../core/parse.ts";
import { journeyRuns } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { campaignIdSchema, findCampaign } from "./find-campaign.ts";
import { afterCursor, type Page, pageInput, toPage } from "./page.ts";
import { type Run, RUN_STATES, viewRun } from "./run.ts";

export const listCampaignRunsInput = z.object({
  id: campaignIdSchema,
  state: z.enum(RUN_STATES).optional(),
  ...pageInput,
});

/** Who entered a campaign and where each stands, newest first. */
export async function listCampaignRuns(
  ctx: CrmContext,
  input: z.input<typeof listCampaignRunsInput>,
): Promise<Page<"runs", Run>> {
  requireScope(ctx, "read");
  const { id, state, limit, cursor } = parse(listCampaignRunsInput, input, "request");
  const clientId = ctx.principal.client_id;
  const rows = await inTransaction(ctx, async (tx) => {
    await findCampaign(tx, clientId, id);
    const where = and(
      eq(journeyRuns.client_id, clientId),
      eq(journeyRuns.campaign_id, id),
      state && eq(journeyRuns.state, state),
      afterCursor(journeyRuns.entered_at, journeyRuns.id, cursor),
    );
    const orderBy = [desc(journeyRuns.entered_at), desc(journeyRuns.id)];
    return tx.query.journeyRuns.findMany({ where, orderBy, limit: limit + 1 });
  });
  return toPage("runs", rows, { limit, placeOf: (row) => ({ at: row.entered_at, id: row.id }), view: viewRun });
}
