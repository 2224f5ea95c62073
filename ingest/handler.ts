import type { RequestListener } from "node:http";

import { createPipeline, type PipelineParts } from "./pipeline.ts";
import { createRoutes, type RouteParts } from "./routes.ts";

const EVENTS = "/v1/events";

/** The hot path does not go through Express, which would cost more than all the rest of it. */
export function createHandler(parts: PipelineParts & RouteParts): RequestListener {
  const handleEvents = createPipeline(parts);
  const routes = createRoutes(parts);
  return (request, response) => {
    if (parts.isDraining()) response.shouldKeepAlive = false;
    const url = request.url ?? "";
    const isHot = request.method === "POST" && (url === EVENTS || url.startsWith(`${EVENTS}?`));
    if (isHot) void handleEvents(request, response);
    else routes(request, response);
  };
}
