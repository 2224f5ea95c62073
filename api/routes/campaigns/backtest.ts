import { z } from "zod";

import { costPerMessageSchema } from "../../../analytics/reports/answer-backtest.ts";
import { rangeInput, readRange } from "../../../analytics/reports/range.ts";
import { backtestReportSchema } from "../../../core/backtest.ts";
import { campaignSchema } from "../../../core/campaign.ts";
import type { Question } from "../../../core/contracts/ad-hoc.ts";
import { compileDraft } from "../../../crm/compile-draft.ts";
import { inTransaction, requireScope } from "../../../crm/context.ts";
import { defineRoute } from "../../route.ts";
import { ACCEPTED, answerBy } from "../analytics/question.ts";

const backtestSchema = z
  .strictObject({
    campaign: campaignSchema.meta({ description: "As it would be created; nothing of it is kept." }),
    start: rangeInput.start,
    end: rangeInput.end.meta({ description: "The first moment after it: what would go out later is not counted." }),
    cost_per_message: costPerMessageSchema
      .default({})
      .meta({ description: 'By channel, in whatever money: `{"whatsapp": 0.88}`.' }),
  })
  .meta({ id: "BacktestRequest" });

export const backtestCampaignRoute = defineRoute({
  method: "post",
  path: "/api/v1/backtests",
  operationId: "backtestCampaign",
  tag: "campaigns",
  summary: "Play a campaign over what people really did: who would have entered, what would have gone out and when",
  scope: "read",
  body: backtestSchema,
  responses: { 200: { description: "What would have happened.", schema: backtestReportSchema }, 202: ACCEPTED },
  async handle({ ctx, api, body }) {
    requireScope(ctx, "read");
    compileDraft(body.campaign);
    const clientId = ctx.principal.client_id;
    const { start, end } = await inTransaction(ctx, (tx) => readRange(tx, clientId, body));
    const asked = { campaign: body.campaign, cost_per_message: body.cost_per_message, start, end };
    // Without what is undefined, which is no JSON.
    const params = JSON.parse(JSON.stringify(asked)) as Question["params"];
    return answerBy(api, clientId, { kind: "backtest", params }, "lake");
  },
});
