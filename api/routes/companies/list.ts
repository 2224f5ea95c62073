import { companySchema } from "../../../crm/company.ts";
import { listCompanies, listCompaniesInput } from "../../../crm/list-companies.ts";
import { pageOf } from "../../../crm/page.ts";
import { defineRoute } from "../../route.ts";

export const listCompaniesRoute = defineRoute({
  method: "get",
  path: "/api/v1/companies",
  operationId: "listCompanies",
  tag: "companies",
  summary: "All companies, newest first",
  scope: "read",
  input: listCompaniesInput,
  responses: { 200: { description: "A page of them.", schema: pageOf("companies", companySchema) } },
  handle: async ({ ctx, input }) => ({ status: 200, body: await listCompanies(ctx, input) }),
});
