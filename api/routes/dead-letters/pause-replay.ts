import { replaySchema } from "../../../crm/dead-letter-replay.ts";
import { steerReplay, steerReplayInput } from "../../../crm/steer-replay.ts";
import { defineRoute } from "../../route.ts";

export const pauseReplayRoute = defineRoute({
  method: "post",
  path: "/api/v1/dead-letter-replays/{id}/pause",
  operationId: "pauseDeadLetterReplay",
  tag: "dead letters",
  summary: "Hold a replay after the page under way",
  scope: "admin",
  input: steerReplayInput,
  responses: { 200: { description: "It holds.", schema: replaySchema } },
  problems: [404, 409],
  handle: async ({ ctx, input }) => ({ status: 200, body: await steerReplay(ctx, input, "pause") }),
});
