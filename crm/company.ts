import { and, eq } from "drizzle-orm";
import { z } from "zod";

import { AppError } from "../core/errors.ts";
import { companies } from "../platform/postgres/schema.ts";
import type { Transaction } from "../platform/postgres/tenant.ts";
import { isoTime, timeSchema } from "./page.ts";

export const companySchema = z
  .object({ company_id: z.guid(), name: z.string(), domain: z.string().nullable(), created_at: timeSchema })
  .meta({ id: "Company" });

export type Company = z.infer<typeof companySchema>;

export function viewCompany({ id, name, domain, created_at }: typeof companies.$inferSelect): Company {
  return { company_id: id, name, domain, created_at: isoTime(created_at) };
}

export async function findCompany(tx: Transaction, clientId: string, id: string): Promise<Company> {
  const where = and(eq(companies.client_id, clientId), eq(companies.id, id));
  const company = await tx.query.companies.findFirst({ where });
  if (!company) throw new AppError("not_found", "There is no such company.");
  return viewCompany(company);
}
