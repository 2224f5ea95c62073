import { describeFunnel, findFunnelUnits, funnelInput, funnelReportSchema } from "../../../analytics/reports/funnel.ts";
import { readRange } from "../../../analytics/reports/range.ts";
import type { Question } from "../../../core/contracts/ad-hoc.ts";
import { inTransaction, requireScope } from "../../../crm/context.ts";
import { defineRoute } from "../../route.ts";
import { funnelTable } from "./funnel-table.ts";
import { ACCEPTED, answerBy } from "./question.ts";

export const funnelRoute = defineRoute({
  method: "get",
  path: "/api/v1/analytics/funnel",
  operationId: "getFunnel",
  tag: "analytics",
  summary: "How many units began a chain of steps in a range, and how far they came in time",
  scope: "read",
  input: funnelInput,
  table: funnelTable,
  responses: { 200: { description: "Units by step.", schema: funnelReportSchema }, 202: ACCEPTED },
  async handle({ ctx, api, input: { start, end, window: window_ms, ...asked } }) {
    requireScope(ctx, "read");
    const clientId = ctx.principal.client_id;
    const funnel = { ...asked, window_ms };
    const found = await inTransaction(ctx, async (tx) => {
      const range = await readRange(tx, clientId, { start, end });
      const units = await findFunnelUnits(tx, clientId, funnel, range);
      return { range, report: units && (await describeFunnel(tx, clientId, funnel, units)) };
    });
    if (found.report) return { status: 200, body: found.report };
    const question = { funnel, start: found.range.start, end: found.range.end };
    // Without what is undefined, which is no JSON.
    const params = JSON.parse(JSON.stringify(question)) as Question["params"];
    return answerBy(api, clientId, { kind: "funnel", params }, "lake");
  },
});
