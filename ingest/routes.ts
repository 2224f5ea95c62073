import express, { type ErrorRequestHandler, type Express } from "express";

import { HttpError } from "../core/problem.ts";
import { readRequestId } from "../platform/request-id.ts";
import { answerPreflight, answerProblem } from "./answer.ts";
import type { IngestMetrics } from "./metrics.ts";
import { createOpenApiDocument } from "./openapi.ts";
import type { Readiness } from "./readiness.ts";

export interface RouteParts {
  readiness(): Promise<Readiness>;
  metrics: IngestMetrics;
  isDraining(): boolean;
}

/** Everything but `POST /v1/events`. */
export function createRoutes({ readiness, metrics, isDraining }: RouteParts): Express {
  const app = express().disable("x-powered-by").disable("etag");
  const document = createOpenApiDocument();
  app.get("/healthz", (_, response) => {
    response.json({ status: "ok" });
  });
  app.get("/readyz", async (_, response) => {
    const found = await readiness();
    const isReady = found.stream && found.database && !isDraining();
    response.status(isReady ? 200 : 503).json({ status: isReady ? "ready" : "not ready", ...found });
  });
  app.get("/metrics", async (_, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  app.get("/openapi.json", (_, response) => {
    response.set("access-control-allow-origin", "*").json(document);
  });
  app.options("/v1/events", (_, response) => answerPreflight(response));
  app.all("/v1/events", () => {
    throw new HttpError(405, "Only POST is allowed here.", { allow: "POST, OPTIONS" });
  });
  app.all(["/healthz", "/readyz", "/metrics", "/openapi.json"], () => {
    throw new HttpError(405, "Only GET is allowed here.", { allow: "GET, HEAD" });
  });
  app.use(() => {
    throw new HttpError(404, "There is nothing here.");
  });
  app.use(answerError);
  return app;
}

/** Express knows an error handler by its four parameters. */
const answerError: ErrorRequestHandler = (error: unknown, request, response, _next) => {
  answerProblem(response, readRequestId(request.headers["x-request-id"]), error);
};
