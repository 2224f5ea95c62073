import { z } from "zod";
import {
  createDocument,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiResponseObject,
} from "zod-openapi";

import { PROBLEM_TYPE, problemSchema } from "../core/problem.ts";
import { cachePolicyOf } from "./answer-cached.ts";
import { EXPORT_TYPES, FORMATS, tableOf } from "./export-format.ts";
import { pathParametersOf, type Route } from "./route.ts";
import { ROUTES } from "./routes.ts";

const PROBLEMS: Record<number, string> = {
  400: "Not valid: every fault is named.",
  401: "No token, or one that is not known.",
  403: "The token is another client's, or may not do this.",
  404: "There is no such thing.",
  405: "Not with this method.",
  409: "Not in the state it is in.",
  410: "It is over.",
  413: "Too large.",
  415: "Not a media type that is taken.",
  429: "Too many requests: come back after `Retry-After` seconds.",
  503: "Something that is needed is away for the moment: try again.",
};

const answers = (type: string) => ({ description: "Yes.", content: { [type]: { schema: z.unknown() } } });
const probe = (operationId: string, summary: string, type = "application/json") => ({
  get: { operationId, summary, tags: ["operations"], security: [], responses: { 200: answers(type) } },
});

/** What machines ask; nobody needs a key for it. */
const PROBES: ZodOpenApiObject["paths"] = {
  "/healthz": probe("isAlive", "Whether the process answers"),
  "/readyz": {
    get: {
      ...probe("isReady", "Whether the database and Redis answer").get,
      responses: { 200: answers("application/json"), 503: { ...answers("application/json"), description: "Not now." } },
    },
  },
  "/metrics": probe("readMetrics", "For Prometheus", "text/plain"),
  "/openapi.json": probe("describeApi", "This document"),
};

let description: ReturnType<typeof createDocument> | undefined;

/** The API's OpenAPI 3.1 document, made from the routes' own schemas. */
export function describeApi(): ReturnType<typeof createDocument> {
  description ??= createDocument({
    openapi: "3.1.0",
    info: {
      title: "Livora API",
      version: "1.0.0",
      description: "Campaigns, contacts, runs and deliveries. Every error is an RFC 9457 problem.",
    },
    servers: [{ url: "/" }],
    security: [{ key: [] }],
    components: { securitySchemes: { key: { type: "http", scheme: "bearer", description: "An API key." } } },
    paths: { ...describePaths(ROUTES), ...PROBES },
  });
  return description;
}

function describePaths(routes: readonly Route[]): NonNullable<ZodOpenApiObject["paths"]> {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = describeRoute(route);
  return paths;
}

function describeRoute(route: Route): ZodOpenApiOperationObject {
  const { operationId, tag, summary } = route;
  return {
    operationId,
    tags: [tag],
    summary,
    ...describeRequest(route),
    responses: describeResponses(route) as ZodOpenApiOperationObject["responses"],
  };
}

function describeRequest(route: Route): Partial<ZodOpenApiOperationObject> {
  if (route.kind === "json") return describeJson(route);
  return route.kind === "raw" ? describeRaw(route) : { security: [], requestParams: { path: route.input } };
}

function describeJson(route: Extract<Route, { kind: "json" }>): Partial<ZodOpenApiOperationObject> {
  const shape = { ...route.input?.shape, ...(tableOf(route) && { format: formatSchema }) };
  const inPath = pathParametersOf(route.path);
  const part = (isIn: boolean) =>
    z.object(Object.fromEntries(Object.entries(shape).filter(([name]) => inPath.includes(name) === isIn)));
  const clientHeader = z.object({
    "X-Client-Id": z.string().optional().meta({ description: "Refused where it is not the token's own client." }),
  });
  return {
    description: `Takes a key with the scope \`${route.scope}\`.`,
    requestParams: { path: part(true), query: part(false), header: clientHeader },
    ...(route.body && { requestBody: { required: true, content: { "application/json": { schema: route.body } } } }),
    ...(route.consumes && { requestBody: { required: true, content: describeParts(route.consumes) } }),
  };
}

function describeParts(consumes: Record<string, z.ZodType>) {
  return Object.fromEntries(Object.entries(consumes).map(([type, schema]) => [type, { schema }]));
}

function describeContent(types: readonly string[], schema: z.ZodType) {
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

function describeRaw(route: Extract<Route, { kind: "raw" }>): Partial<ZodOpenApiOperationObject> {
  const content = Object.fromEntries(route.consumes.map((type) => [type, { schema: {} }]));
  return { security: [], requestBody: { required: true, content } };
}

const formatSchema = z
  .enum(FORMATS)
  .optional()
  .meta({ description: "As which file; `Accept` says the same. A file holds the whole report, not a page of it." });
const FILES = Object.fromEntries(
  Object.values(EXPORT_TYPES).map((type) => [type, { schema: { type: "string", format: "binary" } as const }]),
);

type Responses = Record<string, ZodOpenApiResponseObject>;

/** A status may be an answer of one media type and a problem of another. */
function describeResponses(route: Route): Responses {
  const described = describeProblems(route);
  for (const [status, answer] of Object.entries(describeAnswers(route))) {
    const content = { ...answer.content, ...described[status]?.content };
    described[status] = { ...answer, ...(Object.keys(content).length > 0 && { content }) };
  }
  return described;
}

function describeAnswers(route: Route): Responses {
  const described: Responses = {};
  for (const [status, { description, schema, type }] of Object.entries(route.responses)) {
    const files = status === "200" && route.kind === "json" && tableOf(route) ? FILES : {};
    const types = [type ?? "application/json"].flat();
    const content = schema && { content: { ...describeContent(types, schema), ...files } };
    described[status] = { description, ...content };
  }
  if (route.kind === "json" && cachePolicyOf(route)) {
    described["304"] = { description: "It is still what `If-None-Match` names." };
  }
  return described;
}

function describeProblems(route: Route): Responses {
  const ofKind = { json: [400, 401, 403, 429, 503], raw: [400, 403, 413, 415, 503], open: [] }[route.kind];
  const ofBody = route.kind === "json" && (route.body ?? route.consumes) ? [413, 415] : [];
  const described: Responses = {};
  for (const status of [...ofKind, ...ofBody, ...(route.problems ?? [])].toSorted((a, b) => a - b)) {
    const content = { [PROBLEM_TYPE]: { schema: problemSchema } };
    described[String(status)] = { description: PROBLEMS[status] ?? "A problem.", content };
  }
  return described;
}
