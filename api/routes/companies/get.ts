import { companySchema } from "../../../crm/company.ts";
import { getCompany, getCompanyInput } from "../../../crm/get-company.ts";
import { defineRoute } from "../../route.ts";

export const getCompanyRoute = defineRoute({
  method: "get",
  path: "/api/v1/companies/{id}",
  operationId: "getCompany",
  tag: "companies",
  summary: "A company",
  scope: "read",
  input: getCompanyInput,
  responses: { 200: { description: "The company.", schema: companySchema } },
  problems: [404],
  handle: async ({ ctx, input }) => ({ status: 200, body: await getCompany(ctx, input) }),
});
