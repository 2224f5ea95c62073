import { randomUUID } from "node:crypto";
import { rm, stat } from "node:fs/promises";
import type { IncomingMessage } from "node:http";

import { z } from "zod";

import { mappingSchema, parseMapping } from "../../../core/backfill-mapping.ts";
import { AppError, isAppError } from "../../../core/errors.ts";
import { parse } from "../../../core/parse.ts";
import { HttpError } from "../../../core/problem.ts";
import { backfillSchema } from "../../../crm/backfill.ts";
import { requireScope } from "../../../crm/context.ts";
import { backfillOptions, type BackfillRequest, startBackfill } from "../../../crm/start-backfill.ts";
import { backfillFolder, findImport } from "../../../platform/backfill/folders.ts";
import type { Config } from "../../../platform/config.ts";
import { readJson } from "../../read-body.ts";
import { receiveFile } from "../../receive-file.ts";
import { defineRoute } from "../../route.ts";

const MEDIA_TYPES = ["multipart/form-data", "application/json"];

const described = backfillOptions.extend({ mapping: mappingSchema });
const formSchema = described.extend({
  mapping: z.string().meta({ description: "A BackfillMapping, as JSON." }),
  file: z.string().meta({ format: "binary", description: "The file; gzip is recognised by itself." }),
});
const pathBody = backfillOptions.extend({
  path: z.string().min(1).max(1024).meta({ description: "A file below the folder that the server may read." }),
});

export const startBackfillRoute = defineRoute({
  method: "post",
  path: "/api/v1/backfills",
  operationId: "startBackfill",
  tag: "backfills",
  summary: "Load history from CSV, JSON lines or Parquet, or find out what would be refused of it",
  scope: "admin",
  input: z.object({ dry_run: z.enum(["true", "false"]).default("false") }),
  consumes: { "multipart/form-data": formSchema, "application/json": pathBody.extend({ mapping: mappingSchema }) },
  responses: { 202: { description: "It runs.", schema: backfillSchema } },
  async handle({ ctx, api, input, request }) {
    requireScope(ctx, "admin");
    const id = randomUUID();
    const is_dry_run = input.dry_run === "true";
    try {
      const asked = await takeRequest(api.config, request, id);
      return { status: 202, body: await startBackfill(ctx, api.backfills, { id, ...asked, is_dry_run }) };
    } catch (error) {
      // What was sent with a request that is refused is nobody's.
      if (isAppError(error, "invalid"))
        await rm(backfillFolder(api.config, id).folder, { recursive: true, force: true });
      throw error;
    }
  },
});

type Asked = Pick<BackfillRequest, "options" | "file">;

async function takeRequest(config: Config, request: IncomingMessage, id: string): Promise<Asked> {
  const type = (request.headers["content-type"] ?? "").toLowerCase();
  if (type.startsWith("multipart/form-data")) return takeForm(config, request, id);
  if (type.startsWith("application/json")) return takePath(config, await readJson(request));
  throw new HttpError(415, `Send ${MEDIA_TYPES.join(" or ")}.`, { accept: MEDIA_TYPES.join(", ") });
}

async function takeForm(config: Config, request: IncomingMessage, id: string): Promise<Asked> {
  const target = backfillFolder(config, id).upload;
  const maxBytes = config.LIVORA_BACKFILL_MAX_BYTES;
  const { fields, file } = await receiveFile(request, { target, maxBytes });
  if (file === null) throw invalid("/file", "required");
  const { mapping, ...rest } = fields;
  if (mapping === undefined) throw invalid("/mapping", "required");
  return { options: { ...rest, mapping: parseJson(mapping) }, file: { path: null, ...file } };
}

/** The mapping first: who errs in it learns nothing of files. */
async function takePath(config: Config, sent: unknown): Promise<Asked> {
  const { path, ...options } = parse(pathBody, sent, "body");
  parseMapping(options.mapping, "/mapping");
  const file = await findImport(config, path);
  const found = await stat(file);
  if (!found.isFile()) throw invalid("/path", "is no file");
  const maxBytes = config.LIVORA_BACKFILL_MAX_BYTES;
  if (found.size > maxBytes) throw new HttpError(413, `A file has at most ${maxBytes} bytes.`);
  return { options, file: { path, name: null, bytes: found.size } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid("/mapping", "is not JSON");
  }
}

function invalid(path: string, reason: string): AppError {
  return new AppError("invalid", "The request is not valid.", { faults: [{ path, reason }] });
}
