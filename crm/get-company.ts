import { z } from "zod";

import { parse } from "../core/parse.ts";
import { type Company, findCompany } from "./company.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";

export const getCompanyInput = z.object({ id: z.guid() });

export async function getCompany(ctx: CrmContext, input: z.input<typeof getCompanyInput>): Promise<Company> {
  requireScope(ctx, "read");
  const { id } = parse(getCompanyInput, input, "request");
  return inTransaction(ctx, (tx) => findCompany(tx, ctx.principal.client_id, id));
}
