import { replaySchema } from "../../../crm/dead-letter-replay.ts";
import { getReplay, getReplayInput } from "../../../crm/get-replay.ts";
import { defineRoute } from "../../route.ts";

export const getReplayRoute = defineRoute({
  method: "get",
  path: "/api/v1/dead-letter-replays/{id}",
  operationId: "getDeadLetterReplay",
  tag: "dead letters",
  summary: "How far a replay has come",
  scope: "admin",
  input: getReplayInput,
  responses: { 200: { description: "Its state and counts.", schema: replaySchema } },
  problems: [404],
  handle: async ({ ctx, input }) => ({ status: 200, body: await getReplay(ctx, input) }),
});
