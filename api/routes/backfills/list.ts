import { listBackfills, listBackfillsInput, listedBackfillSchema } from "../../../crm/list-backfills.ts";
import { pageOf } from "../../../crm/page.ts";
import { defineRoute } from "../../route.ts";

export const listBackfillsRoute = defineRoute({
  method: "get",
  path: "/api/v1/backfills",
  operationId: "listBackfills",
  tag: "backfills",
  summary: "Backfills, newest first: who asked, of which file, what became of it",
  scope: "admin",
  input: listBackfillsInput,
  responses: { 200: { description: "A page of them.", schema: pageOf("backfills", listedBackfillSchema) } },
  handle: async ({ ctx, input }) => ({ status: 200, body: await listBackfills(ctx, input) }),
});
