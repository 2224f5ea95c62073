import { patchPreviewSchema, previewPatch, previewPatchBody } from "../../../crm/preview-patch.ts";
import { defineRoute } from "../../route.ts";

export const previewPatchRoute = defineRoute({
  method: "post",
  path: "/api/v1/dead-letter-previews",
  operationId: "previewPatch",
  tag: "dead letters",
  summary: "What a patch would make of some dead letters, and whether that is an event; changes nothing",
  scope: "admin",
  body: previewPatchBody,
  responses: { 200: { description: "Before and after.", schema: patchPreviewSchema } },
  handle: async ({ ctx, body }) => ({ status: 200, body: await previewPatch(ctx, body) }),
});
