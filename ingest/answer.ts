import type { ServerResponse } from "node:http";

import type { Event } from "../core/event.ts";
import type { Position } from "../core/position.ts";
import { answerOf, type ProblemAnswer } from "../core/problem.ts";

/** Browsers may send from any origin: what counts is the token, and there are no cookies. */
const CORS = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "x-request-id, retry-after",
};
const JSON_TYPE = "application/json";

/** `202`: where each event lies, in the order of the request. By hand: neither a UUID nor a number needs escaping. */
export function answerAccepted(
  response: ServerResponse,
  requestId: string,
  events: readonly Event[],
  positions: readonly Position[],
): void {
  let offsets = "";
  for (let i = 0; i < events.length; i++) {
    const { shard, sequence, index } = positions[i] as Position;
    const comma = i === 0 ? "" : ",";
    offsets += `${comma}{"event_id":"${(events[i] as Event).event_id}","shard":"${shard}","sequence":"${sequence}","index":${index}}`;
  }
  const body = `{"accepted":${events.length},"offsets":[${offsets}]}`;
  // All of it is ASCII: its length is its length in bytes.
  response.writeHead(202, {
    "content-type": JSON_TYPE,
    "content-length": body.length,
    "x-request-id": requestId,
    ...CORS,
  });
  response.end(body);
}

/** Problem+json for whatever went wrong. */
export function answerProblem(response: ServerResponse, requestId: string, error: unknown): ProblemAnswer {
  const answer = answerOf(error, requestId);
  if (response.headersSent || response.destroyed) return answer;
  const body = Buffer.from(JSON.stringify(answer.problem));
  response.writeHead(answer.status, {
    ...answer.headers,
    "content-length": body.length,
    "x-request-id": requestId,
    ...CORS,
  });
  response.end(body);
  return answer;
}

/** What a browser asks before it sends. */
export function answerPreflight(response: ServerResponse): void {
  response.writeHead(204, {
    ...CORS,
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "authorization, content-type, content-encoding, x-client-id, x-request-id",
    "access-control-max-age": "86400",
    vary: "origin",
  });
  response.end();
}
