import { replaySchema } from "../../../crm/dead-letter-replay.ts";
import { startReplay, startReplayBody } from "../../../crm/start-replay.ts";
import { defineRoute } from "../../route.ts";

export const startReplayRoute = defineRoute({
  method: "post",
  path: "/api/v1/dead-letter-replays",
  operationId: "startDeadLetterReplay",
  tag: "dead letters",
  summary: "Put open dead letters back to where they failed, patched or as they are: one, some or all",
  scope: "admin",
  body: startReplayBody,
  responses: { 202: { description: "It runs.", schema: replaySchema } },
  handle: async ({ ctx, body }) => ({ status: 202, body: await startReplay(ctx, body) }),
});
