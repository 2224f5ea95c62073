import { z } from "zod";

import { ltvModelSchema } from "../../../analytics/lifetime-value/answer-ltv-model.ts";
import { readLastWholeDay } from "../../../analytics/reports/last-whole-day.ts";
import { CURRENCY_EXPONENTS } from "../../../core/money.ts";
import { inTransaction, requireScope } from "../../../crm/context.ts";
import { defineRoute } from "../../route.ts";
import { ACCEPTED, answerBy } from "./question.ts";

const input = z.object({
  observed_until: z.iso
    .date()
    .optional()
    .meta({ description: "The last day that counts, in the client's time zone; yesterday where it is left out." }),
  currency: z
    .string()
    .refine((code) => CURRENCY_EXPONENTS.has(code), "is no currency (ISO 4217)")
    .optional()
    .meta({ description: "Of Gamma-Gamma; the one that most customers paid in where it is left out." }),
});

export const ltvModelRoute = defineRoute({
  method: "get",
  path: "/api/v1/analytics/ltv/model",
  operationId: "getLtvModel",
  tag: "analytics",
  summary: "BG/NBD and Gamma-Gamma as they would have been fitted after a day",
  scope: "read",
  input,
  responses: { 200: { description: "Both models.", schema: ltvModelSchema }, 202: ACCEPTED },
  async handle({ ctx, api, input: { observed_until, currency } }) {
    requireScope(ctx, "read");
    const clientId = ctx.principal.client_id;
    const until = observed_until ?? (await inTransaction(ctx, (tx) => readLastWholeDay(tx, clientId, Date.now())));
    const params = { observed_until: until, ...(currency !== undefined && { currency }) };
    return answerBy(api, clientId, { kind: "ltv_model", params }, { aggregates: ["purchases"] });
  },
});
