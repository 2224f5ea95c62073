import { replaySchema } from "../../../crm/dead-letter-replay.ts";
import { listReplays, listReplaysInput } from "../../../crm/list-replays.ts";
import { pageOf } from "../../../crm/page.ts";
import { defineRoute } from "../../route.ts";

export const listReplaysRoute = defineRoute({
  method: "get",
  path: "/api/v1/dead-letter-replays",
  operationId: "listDeadLetterReplays",
  tag: "dead letters",
  summary: "Replays of dead letters, newest first: who asked, what was changed, what became of them",
  scope: "admin",
  input: listReplaysInput,
  responses: { 200: { description: "A page of them.", schema: pageOf("replays", replaySchema) } },
  handle: async ({ ctx, input }) => ({ status: 200, body: await listReplays(ctx, input) }),
});
