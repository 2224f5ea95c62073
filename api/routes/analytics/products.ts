import { productsInput, productsSchema, reportProducts } from "../../../analytics/reports/products.ts";
import { inTransaction, requireScope } from "../../../crm/context.ts";
import { defineRoute } from "../../route.ts";

export const productsRoute = defineRoute({
  method: "get",
  path: "/api/v1/analytics/products",
  operationId: "getProducts",
  tag: "analytics",
  summary: "What products, or categories, were looked at, put into carts and bought",
  scope: "read",
  input: productsInput,
  responses: { 200: { description: "A page of products or categories, highest first.", schema: productsSchema } },
  async handle({ ctx, input }) {
    requireScope(ctx, "read");
    return { status: 200, body: await inTransaction(ctx, (tx) => reportProducts(tx, ctx.principal.client_id, input)) };
  },
});
