import { access } from "node:fs/promises";

import { z } from "zod";

import { AppError } from "../../../core/errors.ts";
import { findBackfill } from "../../../crm/backfill.ts";
import { requireScope } from "../../../crm/context.ts";
import { getBackfillInput } from "../../../crm/get-backfill.ts";
import { backfillFolder } from "../../../platform/backfill/folders.ts";
import { readRejects } from "../../../platform/backfill/rejects-file.ts";
import { defineRoute } from "../../route.ts";

const TYPE = "application/x-ndjson";

export const readBackfillRejectsRoute = defineRoute({
  method: "get",
  path: "/api/v1/backfills/{id}/rejects",
  operationId: "readBackfillRejects",
  tag: "backfills",
  summary: "All that was refused of a file, a line of JSON for each, while its files are kept",
  scope: "admin",
  input: getBackfillInput,
  responses: { 200: { description: "Lines of `{line, path, reason, others?}`.", schema: z.string(), type: TYPE } },
  problems: [404],
  async handle({ ctx, api, input }) {
    requireScope(ctx, "admin");
    const { id, rejects_bytes } = await findBackfill(ctx, input.id);
    const { rejects } = backfillFolder(api.config, id);
    if (rejects_bytes > 0) await access(rejects).catch(refuseGone);
    return { status: 200, stream: { type: TYPE, bytes: readRejects(rejects, rejects_bytes) } };
  },
});

function refuseGone(): never {
  throw new AppError("not_found", "Its files are not kept any longer.");
}
