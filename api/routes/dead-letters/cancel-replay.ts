import { replaySchema } from "../../../crm/dead-letter-replay.ts";
import { steerReplay, steerReplayInput } from "../../../crm/steer-replay.ts";
import { defineRoute } from "../../route.ts";

export const cancelReplayRoute = defineRoute({
  method: "post",
  path: "/api/v1/dead-letter-replays/{id}/cancel",
  operationId: "cancelDeadLetterReplay",
  tag: "dead letters",
  summary: "End a replay; what has not been put back stays open",
  scope: "admin",
  input: steerReplayInput,
  responses: { 200: { description: "It ends.", schema: replaySchema } },
  problems: [404, 409],
  handle: async ({ ctx, input }) => ({ status: 200, body: await steerReplay(ctx, input, "cancel") }),
});
