import { and, desc, eq } from "drizzle-orm";
import { z } from "zod";

import { parse } from "../core/parse.ts";
import { companies } from "../platform/postgres/schema.ts";
import { type Company, viewCompany } from "./company.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { afterCursor, type Page, pageInput, toPage } from "./page.ts";

export const listCompaniesInput = z.object(pageInput);

/** All companies, newest first. */
export async function listCompanies(
  ctx: CrmContext,
  input: z.input<typeof listCompaniesInput>,
): Promise<Page<"companies", Company>> {
  requireScope(ctx, "read");
  const { limit, cursor } = parse(listCompaniesInput, input, "request");
  const rows = await inTransaction(ctx, (tx) => {
    const isNext = afterCursor(companies.created_at, companies.id, cursor);
    const where = and(eq(companies.client_id, ctx.principal.client_id), isNext);
    const orderBy = [desc(companies.created_at), desc(companies.id)];
    return tx.query.companies.findMany({ where, orderBy, limit: limit + 1 });
  });
  return toPage("companies", rows, {
    limit,
    placeOf: (row) => ({ at: row.created_at, id: row.id }),
    view: viewCompany,
  });
}
