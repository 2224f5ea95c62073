import { replaySchema } from "../../../crm/dead-letter-replay.ts";
import { steerReplay, steerReplayInput } from "../../../crm/steer-replay.ts";
import { defineRoute } from "../../route.ts";

export const resumeReplayRoute = defineRoute({
  method: "post",
  path: "/api/v1/dead-letter-replays/{id}/resume",
  operationId: "resumeDeadLetterReplay",
  tag: "dead letters",
  summary: "Let a held replay go on",
  scope: "admin",
  input: steerReplayInput,
  responses: { 200: { description: "It goes on.", schema: replaySchema } },
  problems: [404, 409],
  handle: async ({ ctx, input }) => ({ status: 200, body: await steerReplay(ctx, input, "resume") }),
});
