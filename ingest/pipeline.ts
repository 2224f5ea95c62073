import type { IncomingMessage, ServerResponse } from "node:http";

import type { Redis } from "ioredis";

import type { Keyring } from "../platform/keyring.ts";
import type { Logger } from "../platform/logger.ts";
import { readRequestId } from "../platform/request-id.ts";
import type { StreamProducer } from "../platform/stream/types.ts";
import { answerAccepted, answerProblem } from "./answer.ts";
import { createAppendStep } from "../platform/intake/append.ts";
import { createAuthenticateStep } from "./authenticate.ts";
import { clientAddress } from "./client-address.ts";
import type { EdgeCounter } from "../platform/intake/edge-counter.ts";
import type { ExitEvents } from "./exit-events.ts";
import { createHintStep } from "./hint.ts";
import type { Limiter } from "./limit.ts";
import type { IngestMetrics } from "./metrics.ts";
import { admit } from "../platform/intake/admit.ts";
import { createReadBodyStep } from "./read-body.ts";

export interface PipelineParts {
  log: Logger;
  redis: Redis;
  producer: StreamProducer;
  /** Where what is acknowledged is to be counted. */
  counter?: EdgeCounter;
  keyring: Keyring;
  limiter: Limiter;
  exits: ExitEvents;
  metrics: IngestMetrics;
  /** How many proxies of ours stand in front. */
  proxies: number;
}

/** `POST /v1/events`: authenticate, limit, read, parse, check, append, hint, answer. A step that refuses throws. */
export function createPipeline(parts: PipelineParts) {
  const { log, limiter, metrics } = parts;
  const authenticate = createAuthenticateStep(parts.keyring);
  const readBody = createReadBodyStep();
  const append = createAppendStep(parts.producer, parts.counter);
  const leaveHints = createHintStep(parts.redis, parts.exits, metrics, log);

  const accept = async (request: IncomingMessage, response: ServerResponse, requestId: string): Promise<number> => {
    let caller = authenticate(request.headers);
    if (caller instanceof Promise) caller = await caller;
    limiter.refuseExhausted(caller);
    const body = await readBody(request);
    const nowMs = Date.now();
    const { events, slices } = admit(body, caller.clientId, nowMs);
    const taking = limiter.take(caller, events.length);
    if (taking) await taking;
    const positions = await append(events, slices, {
      client_id: caller.clientId,
      received_at: new Date(nowMs).toISOString(),
      request_id: requestId,
      ip: clientAddress(request, parts.proxies),
    });
    const leaving = leaveHints(caller.clientId, events);
    if (leaving) await leaving;
    answerAccepted(response, requestId, events, positions);
    return events.length;
  };

  return async function handleEvents(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = performance.now();
    const requestId = readRequestId(request.headers["x-request-id"]);
    try {
      const events = await accept(request, response, requestId);
      metrics.accepted202.inc();
      metrics.accepted.inc(events);
      log.debug({ request_id: requestId, events }, "accepted");
    } catch (error) {
      const { status, problem } = answerProblem(response, requestId, error);
      metrics.countRefusal(status, problem.code);
      const refusal = { request_id: requestId, status, code: problem.code, faults: problem.errors?.length };
      if (status === 500) log.error({ ...refusal, err: error }, "failed");
      else log.warn(refusal, "refused");
    }
    metrics.seconds.observe((performance.now() - startedAt) / 1000);
  };
}
