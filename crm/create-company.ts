import { randomUUID } from "node:crypto";

import { z } from "zod";

import { parse } from "../core/parse.ts";
import { companies } from "../platform/postgres/schema.ts";
import { type Company, viewCompany } from "./company.ts";
import { type CrmContext, inTransaction, requireScope, writeAudit } from "./context.ts";

export const createCompanyInput = z.strictObject({
  name: z.string().trim().min(1).max(300),
  domain: z
    .string()
    .max(253)
    .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, "is no domain such as mango.example")
    .optional(),
});

export async function createCompany(ctx: CrmContext, input: z.input<typeof createCompanyInput>): Promise<Company> {
  requireScope(ctx, "admin");
  const { name, domain = null } = parse(createCompanyInput, input, "company");
  const { client_id } = ctx.principal;
  return inTransaction(ctx, async (tx) => {
    const [row] = await tx.insert(companies).values({ client_id, id: randomUUID(), name, domain }).returning();
    await writeAudit(ctx, tx, { action: "company.create", subject: `company:${row!.id}` });
    return viewCompany(row!);
  });
}
