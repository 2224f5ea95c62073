import { createServer, type Server } from "node:http";
import type { Duplex } from "node:stream";

import express, { type Express, type Request, type Response } from "express";

import { AppError } from "../core/errors.ts";
import { answerOf, HttpError } from "../core/problem.ts";
import { createAuthenticate } from "./authenticate.ts";
import type { ApiContext } from "./context.ts";
import { createExporter } from "./export-answer.ts";
import { createHandler, type HandlerDeps } from "./handler.ts";
import { answerHealth } from "./health.ts";
import { createLimiter } from "./limit.ts";
import { describeApi } from "./openapi.ts";
import { observeRequests, requestIdOf } from "./observe.ts";
import { collectReports } from "./reports.ts";
import type { Route } from "./route.ts";
import { ROUTES } from "./routes.ts";

/** A file of some gigabytes must have come by then; everything else is short, and `read-body.ts` is less patient with it. */
const REQUEST_TIMEOUT_MS = 30 * 60_000;

export function createApiServer(api: ApiContext): Server {
  const authenticate = createAuthenticate(api.keyring);
  const limiter = createLimiter(api);
  const deps = { api, authenticate, limiter, exportReport: createExporter(), reports: collectReports(ROUTES) };
  const app = express();
  app.disable("x-powered-by").disable("etag").set("query parser", "simple");
  app.use(observeRequests(api.log, api.metrics));
  registerProbes(app, api);
  registerRoutes(app, deps, ROUTES);
  app.use(() => {
    throw new AppError("not_found", "There is nothing here.");
  });
  app.use(answerErrors(api));
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: 10_000 }, app);
  server.on("clientError", answerGarbage);
  return server;
}

function registerProbes(app: Express, api: ApiContext): void {
  app.get("/healthz", (_, response) => void response.json({ status: "ok" }));
  app.get("/readyz", (_, response) => answerHealth(api, response));
  app.get("/metrics", async (_, response) => {
    response.type(api.metrics.registry.contentType).send(await api.metrics.registry.metrics());
  });
  app.get("/openapi.json", (_, response) => void response.json(describeApi()));
  for (const path of ["/healthz", "/readyz", "/metrics", "/openapi.json"]) refuseOthers(app, path, ["GET"]);
}

/** After all methods of a path comes the refusal of the others. */
function registerRoutes(app: Express, deps: HandlerDeps, routes: readonly Route[]): void {
  for (const route of routes) app[route.method](expressPath(route.path), createHandler(route, deps));
  for (const path of new Set(routes.map((route) => route.path))) {
    const methods = routes.filter((route) => route.path === path).map((route) => route.method.toUpperCase());
    refuseOthers(app, expressPath(path), methods);
  }
}

function refuseOthers(app: Express, path: string, methods: readonly string[]): void {
  const allow = [...methods, ...(methods.includes("GET") ? ["HEAD"] : [])].join(", ");
  app.all(path, () => {
    throw new HttpError(405, `This takes ${allow}.`, { allow });
  });
}

function expressPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

function answerErrors(api: ApiContext) {
  // Express tells error handlers by their four parameters.
  return (error: unknown, request: Request, response: Response, _next: unknown): void => {
    const { status, headers, problem } = answerOf(toKnown(error), requestIdOf(request));
    if (status >= 500) api.log.error({ request_id: problem.request_id, err: error }, "request failed");
    if (response.headersSent) return void response.destroy();
    response.writeHead(status, headers).end(JSON.stringify(problem));
  };
}

/** Express' own refusals (a path that does not decode) carry a status. */
function toKnown(error: unknown): unknown {
  const isExpress = error instanceof Error && "status" in error && error.status === 400 && !(error instanceof AppError);
  return isExpress ? new AppError("invalid", "The request does not decode.", { cause: error }) : error;
}

function answerGarbage(_error: Error, socket: Duplex): void {
  if (!socket.writable) return void socket.destroy();
  const { problem } = answerOf(new AppError("invalid", "This is not HTTP as we know it."), crypto.randomUUID());
  const body = JSON.stringify(problem);
  const head = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\nconnection: close\r\n";
  socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
