import { z } from "zod";
import { createDocument, type ZodOpenApiResponsesObject } from "zod-openapi";

import { eventSchema, MAX_BATCH } from "../core/event.ts";
import { PROBLEM_TYPE, problemSchema } from "../core/problem.ts";

const batch = z.array(eventSchema).min(1).max(MAX_BATCH);
const wrapped = z.object({ events: batch });
const body = z.union([eventSchema, batch, wrapped]);

const acceptedSchema = z
  .object({
    accepted: z.int().min(1).max(MAX_BATCH),
    offsets: z
      .array(
        z.object({
          event_id: z.guid(),
          shard: z.string(),
          sequence: z.string().meta({ description: "Sequence number of the stream's record; decimal." }),
          index: z.int().min(0).meta({ description: "The event's place among all events of that record." }),
        }),
      )
      .meta({ description: "Where each event lies in the stream, in the order of the request." }),
  })
  .meta({ id: "Accepted" });

const REFUSALS: Record<string, string> = {
  400: "Not JSON, or not events: every fault with index, path and reason. Nothing was taken.",
  401: "No token, or one that is not known.",
  403: "The token, or an event, belongs to another client; or the token may not send events.",
  413: "The body, or one event, is too large.",
  415: "Neither JSON nor gzipped JSON.",
  429: "More events than the client may send. `Retry-After` says when to come back.",
  500: "A fault of ours.",
  503: "The stream is away or behind. Send the same events again after `Retry-After`: what is there twice counts once.",
};

const headers = z.object({
  "x-client-id": z.string().meta({ description: "The client that the token belongs to.", example: "demo" }),
  "x-request-id": z.string().optional().meta({ description: "Comes back, and follows the events into every log." }),
  "content-encoding": z.enum(["gzip", "identity"]).optional(),
});

const probe = z.looseObject({ status: z.string() });

/** The contract of this service, from the schemas that it checks with. */
export function createOpenApiDocument() {
  return createDocument({
    openapi: "3.1.0",
    info: { title: "Livora ingest", version: "1.0.0", description: "Takes in what a business's customers do." },
    components: { securitySchemes: { key: { type: "http", scheme: "bearer", description: "An API key." } } },
    paths: {
      "/v1/events": {
        post: {
          operationId: "sendEvents",
          summary: "Send 1 to 100 events",
          description: "Answers once the stream has acknowledged all of them. All are taken, or none.",
          security: [{ key: [] }],
          requestParams: { header: headers },
          requestBody: { required: true, content: { "application/json": { schema: body } } },
          responses: {
            202: { description: "Taken.", content: { "application/json": { schema: acceptedSchema } } },
            ...refusals(["400", "401", "403", "413", "415", "429", "500", "503"]),
          },
        },
      },
      "/healthz": { get: { operationId: "isAlive", summary: "Whether the process answers", responses: probes() } },
      "/readyz": { get: { operationId: "isReady", summary: "Whether it can serve", responses: probes("503") } },
      "/metrics": {
        get: {
          operationId: "metrics",
          summary: "For Prometheus",
          responses: { 200: { description: "Metrics.", content: { "text/plain": { schema: z.string() } } } },
        },
      },
    },
  });
}

function probes(notYet?: "503"): ZodOpenApiResponsesObject {
  const content = { "application/json": { schema: probe } };
  return { 200: { description: "Yes.", content }, ...(notYet && { [notYet]: { description: "Not now.", content } }) };
}

function refusals(statuses: readonly string[]): ZodOpenApiResponsesObject {
  const content = { [PROBLEM_TYPE]: { schema: problemSchema } };
  return Object.fromEntries(statuses.map((status) => [status, { description: REFUSALS[status] ?? "", content }]));
}
