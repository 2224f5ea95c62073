import { z } from "zod";

import { AppError } from "../core/errors.ts";
import { parse } from "../core/parse.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { type Deal, dealKey, findDeal } from "./deal.ts";

export const getDealInput = z.object(dealKey);

export async function getDeal(ctx: CrmContext, input: z.input<typeof getDealInput>): Promise<Deal> {
  requireScope(ctx, "read");
  const { id } = parse(getDealInput, input, "request");
  const deal = await inTransaction(ctx, (tx) => findDeal(tx, ctx.principal.client_id, id));
  if (!deal) throw new AppError("not_found", "There is no such deal.");
  return deal;
}
