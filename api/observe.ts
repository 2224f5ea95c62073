import type { NextFunction, Request, Response } from "express";

import type { Logger } from "../platform/logger.ts";
import { readRequestId } from "../platform/request-id.ts";
import type { ApiMetrics } from "./metrics.ts";

/** Asked every few seconds by machines: their answers are news only when they are bad. */
const PROBES = new Set(["/healthz", "/readyz", "/metrics"]);
const REQUEST_ID = Symbol("request id");

/** Gives each request its id, and logs and counts it when it is answered. */
export function observeRequests(log: Logger, metrics: ApiMetrics) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const startedAt = performance.now();
    const request_id = requestIdOf(request);
    // What is answered is about people, and for who asked only.
    response.set({ "x-request-id": request_id, "cache-control": "no-store", "x-content-type-options": "nosniff" });
    response.once("close", () => {
      const ms = performance.now() - startedAt;
      // The route's pattern, never the URL: ids of people stand in that.
      const route = (request.route as { path?: string } | undefined)?.path ?? "none";
      const { method } = request;
      const status = response.writableFinished ? response.statusCode : 499;
      const client_id = response.locals["client_id"] as string | undefined;
      metrics.observe(route, method, status, ms / 1000);
      const level = PROBES.has(route) && status < 500 ? "debug" : "info";
      log[level]({ request_id, client_id, method, route, status, ms: Math.round(ms * 10) / 10 }, "request");
    });
    next();
  };
}

/** The same however often it is asked for. */
export function requestIdOf(request: Request & { [REQUEST_ID]?: string }): string {
  request[REQUEST_ID] ??= readRequestId(request.headers["x-request-id"]);
  return request[REQUEST_ID];
}
