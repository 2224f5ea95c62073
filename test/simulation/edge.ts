import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";

import type { ExitEvents } from "../../ingest/exit-events.ts";
import type { IngestMetrics } from "../../ingest/metrics.ts";
import { createPipeline } from "../../ingest/pipeline.ts";
import type { Context } from "../../platform/context.ts";
import type { Caller, Keyring } from "../../platform/keyring.ts";
import type { StreamProducer } from "../../platform/stream/types.ts";
import type { Clock } from "./clock.ts";

export interface Answer {
  status: number;
  body: string;
  /** When the edge sent it, virtual time. */
  answeredAtMs: number;
  /** Stop hints could not be left, or a message was still on its way: it said so in its metrics. */
  isHintMissing: boolean;
}

/** The edge's own pipeline, on requests that never were on a network. */
export function createEdge(ctx: Pick<Context, "log" | "redis">, producer: StreamProducer, clock: Clock) {
  const metrics = createMetrics();
  const handle = createPipeline({
    log: ctx.log,
    redis: ctx.redis,
    producer,
    keyring: KEYRING,
    limiter: { refuseExhausted: () => undefined, take: () => undefined },
    exits: EXITS,
    metrics: metrics.metrics,
    proxies: 0,
  });

  return function receive(client: string, body: string, requestId: string, answer: (answer: Answer) => void): void {
    const failuresBefore = metrics.hintFailures();
    const request = new EventEmitter();
    Object.assign(request, {
      headers: {
        authorization: `Bearer lv_${client}`,
        "x-client-id": client,
        "content-type": "application/json",
        "x-request-id": requestId,
      },
      socket: { remoteAddress: "203.0.113.7" },
    });
    let status = 0;
    const response = {
      headersSent: false,
      destroyed: false,
      writeHead(code: number) {
        status = code;
      },
      end(text: string | Buffer) {
        const isHintMissing = metrics.hintFailures() > failuresBefore;
        answer({ status, body: text.toString(), answeredAtMs: clock.elapsedMs, isHintMissing });
      },
    };
    void handle(request as unknown as IncomingMessage, response as unknown as ServerResponse);
    clock.after(0, () => {
      request.emit("data", Buffer.from(body));
      request.emit("end");
    });
  };
}

/** Who the token names may send. */
const KEYRING: Keyring = {
  known: (token): Caller => ({
    clientId: token.slice(3),
    actor: "key:simulation",
    scopes: ["ingest"],
    eventsPerSecond: 1e6,
  }),
  lookUp: async () => null,
  refresh: async () => undefined,
  hasReachedDatabase: true,
  stop: () => undefined,
};

const EXITS: ExitEvents = {
  has: (_client, type) => type === "purchase",
  refresh: async () => undefined,
  stop: () => undefined,
};

function createMetrics() {
  let failures = 0;
  const nothing = { inc: () => undefined, observe: () => undefined };
  const metrics = {
    accepted202: nothing,
    accepted: nothing,
    seconds: nothing,
    countRefusal: () => undefined,
    hintFailures: { inc: () => void failures++ },
  };
  return { metrics: metrics as unknown as IngestMetrics, hintFailures: () => failures };
}
