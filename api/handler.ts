import { pipeline } from "node:stream/promises";

import type { Request, Response } from "express";

import { AppError } from "../core/errors.ts";
import { findUnstorable, parse } from "../core/parse.ts";
import { type CrmContext, logAccess } from "../crm/context.ts";
import { forgetCached } from "../platform/cache.ts";
import { withTimeout } from "../platform/with-timeout.ts";
import { answerCached, cachePolicyOf } from "./answer-cached.ts";
import type { Authenticate, KeyHolder } from "./authenticate.ts";
import type { ApiContext } from "./context.ts";
import type { createExporter } from "./export-answer.ts";
import { takeFormat } from "./export-format.ts";
import type { Limiter } from "./limit.ts";
import { requestIdOf } from "./observe.ts";
import { readJson, readRaw } from "./read-body.ts";
import type { Reports } from "./reports.ts";
import type { Answer, JsonRoute, OpenRoute, RawRoute, Route } from "./route.ts";

const FORGOTTEN_WITHIN_MS = 1_000;

export interface HandlerDeps {
  api: ApiContext;
  authenticate: Authenticate;
  limiter: Limiter;
  exportReport: ReturnType<typeof createExporter>;
  reports: Reports;
}

/** Authenticate, limit, parse, act, answer: the same for every route. Whatever is thrown becomes a problem. */
export function createHandler(route: Route, deps: HandlerDeps) {
  return async (request: Request, response: Response): Promise<void> => {
    const answer = await handle(route, deps, request, response);
    response.status(answer.status).set(answer.headers ?? {});
    if (answer.stream) await sendStream(response, answer.stream);
    else if (answer.html !== undefined) response.type("html").end(answer.html);
    else if (answer.json !== undefined) sendJson(response, answer.json);
    else if (answer.body === undefined) response.end();
    else response.json(answer.body);
  };
}

function sendJson(response: Response, json: string): void {
  if (!response.get("content-type")) response.type("json");
  response.end(json);
}

function handle(route: Route, deps: HandlerDeps, request: Request, response: Response): Promise<Answer> {
  if (route.kind === "json") return handleJson(route, deps, request, response);
  return route.kind === "raw" ? handleRaw(route, deps, request) : handleOpen(route, deps, request);
}

/** Who went away meanwhile needs no answer. */
async function sendStream(response: Response, { type, bytes }: NonNullable<Answer["stream"]>): Promise<void> {
  response.type(type);
  await pipeline(bytes, response).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
  });
}

async function handleJson(route: JsonRoute, deps: HandlerDeps, request: Request, response: Response): Promise<Answer> {
  const holder = await deps.authenticate(request.headers);
  response.locals["client_id"] = holder.client_id;
  await deps.limiter.take(holder.client_id);
  const given = readGiven(request);
  const asked = takeFormat(route, request, given);
  const input = route.input ? parse(route.input, given, "request") : {};
  const sent = route.body ? await readJson(request) : undefined;
  const body = route.body ? parse(route.body, sent, "body") : undefined;
  const { api } = deps;
  const ctx = contextOf(api, holder, requestIdOf(request));
  if (route.access) logAccess(ctx, ...route.access);
  const call = { ctx, api, reports: deps.reports, input, body, sent, request };
  if (asked) return deps.exportReport({ route, call, ...asked });
  const policy = cachePolicyOf(route);
  if (policy) return answerCached(route, call, policy);
  const answer = await route.handle(call);
  if (route.changesReports) await forgetReports(ctx);
  return answer;
}

/** What was changed stays so, also where Redis is away: then reports show it once they are too old. */
async function forgetReports({ redis, log, principal }: CrmContext): Promise<void> {
  const forgetting = withTimeout(() => forgetCached(redis, principal.client_id), FORGOTTEN_WITHIN_MS, "Redis");
  await forgetting.catch((error: unknown) => log.warn({ err: error }, "reports that were kept still count"));
}

async function handleOpen(route: OpenRoute, { api, reports, limiter }: HandlerDeps, request: Request): Promise<Answer> {
  const given = readGiven(request);
  parse(route.input, given, "request");
  return route.handle({ api, reports, limiter, input: given, request, request_id: requestIdOf(request) });
}

/** The query and the path's parameters. */
function readGiven(request: Request): Record<string, unknown> {
  const given = { ...request.query, ...request.params };
  const faults = findUnstorable(given);
  if (faults.length > 0) throw new AppError("invalid", "The request is not valid.", { faults });
  return given;
}

async function handleRaw(route: RawRoute, { api }: HandlerDeps, request: Request): Promise<Answer> {
  const raw = await readRaw(request, route.consumes);
  // As the provider was told it: a proxy may have changed what we see of it.
  const url = api.config.LIVORA_PUBLIC_API_URL + request.originalUrl;
  const outcome = (name: "taken" | "refused") => api.metrics.webhook(route.provider, name);
  try {
    const answer = await route.handle({ webhooks: api.webhooks, url, headers: request.headers, raw });
    outcome("taken");
    return answer;
  } catch (error) {
    outcome("refused");
    throw error;
  }
}

function contextOf(api: ApiContext, holder: KeyHolder, request_id: string): CrmContext {
  const { tenantDb: db, redis, log, journeys, replays } = api;
  return { db, redis, log, journeys, replays, principal: { ...holder, request_id } };
}
