import { companySchema } from "../../../crm/company.ts";
import { createCompany, createCompanyInput } from "../../../crm/create-company.ts";
import { defineRoute } from "../../route.ts";

export const createCompanyRoute = defineRoute({
  method: "post",
  path: "/api/v1/companies",
  operationId: "createCompany",
  tag: "companies",
  summary: "Make a company",
  scope: "admin",
  body: createCompanyInput,
  responses: { 201: { description: "The company is new.", schema: companySchema } },
  handle: async ({ ctx, body }) => ({ status: 201, body: await createCompany(ctx, body) }),
});
