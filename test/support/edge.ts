import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { pino } from "pino";

import type { ApiScope } from "../../core/api-key.ts";
import { decodeEnvelope } from "../../core/envelope.ts";
import { AppError } from "../../core/errors.ts";
import type { Problem } from "../../core/problem.ts";
import { createHandler } from "../../ingest/handler.ts";
import type { Caller, Keyring } from "../../platform/keyring.ts";
import type { PipelineParts } from "../../ingest/pipeline.ts";
import { createIngestMetrics } from "../../ingest/metrics.ts";
import { createSinkProducer, type SinkProducer } from "./sink-producer.ts";

/** What an answer of the edge may carry. */
export type EdgeAnswer = Partial<Problem> & {
  accepted?: number;
  offsets?: { event_id: string; shard: string; sequence: string; index: number }[];
};

export interface Edge {
  url: string;
  sink: SinkProducer;
  /** Every line that was logged. */
  logged: string[];
  parts: PipelineParts;
  /** Posts to `/v1/events` as the client `demo`, unless told otherwise. */
  post(
    body: unknown,
    headers?: Record<string, string | undefined>,
  ): Promise<{ status: number; headers: Headers; answer: EdgeAnswer }>;
  /** The events on the stream, as text, in order. */
  taken(): string[];
  close(): Promise<void>;
}

const TOKENS: Record<string, { clientId: string; scopes: ApiScope[] }> = {
  lv_demo_1: { clientId: "demo", scopes: ["ingest"] },
  lv_other_1: { clientId: "other", scopes: ["ingest"] },
  lv_demo_read: { clientId: "demo", scopes: ["read"] },
};

/** The edge's handler behind a real server, with the stores replaced by what lies in memory. */
export async function startEdge(overrides: Partial<PipelineParts> = {}): Promise<Edge> {
  const sink = createSinkProducer();
  const logged: string[] = [];
  const parts: PipelineParts = {
    log: pino({ level: "debug" }, { write: (line: string) => void logged.push(line) }),
    redis: null as never,
    producer: sink,
    keyring: createFixedKeyring(),
    limiter: { refuseExhausted() {}, take() {} },
    exits: { has: () => false, async refresh() {}, stop() {} },
    metrics: createIngestMetrics(),
    proxies: 0,
    ...overrides,
  };
  const server = createServer(createHandler({ ...parts, readiness, isDraining: () => false }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    sink,
    logged,
    parts,
    async post(body, headers = {}) {
      const response = await fetch(`${url}/v1/events`, {
        method: "POST",
        headers: headersOf(headers),
        body: bodyOf(body),
      });
      return { status: response.status, headers: response.headers, answer: (await response.json()) as EdgeAnswer };
    },
    taken: () => sink.appended.flatMap(({ data }) => decodeEnvelope(data).events.map(String)),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readiness() {
  return { stream: true, database: true };
}

/** Undefined leaves a header out. */
function headersOf(headers: Record<string, string | undefined>): Record<string, string> {
  const all = {
    authorization: "Bearer lv_demo_1",
    "x-client-id": "demo",
    "content-type": "application/json",
    ...headers,
  };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function bodyOf(body: unknown): string | Uint8Array<ArrayBuffer> {
  return typeof body === "string" || body instanceof Uint8Array ? (body as string) : JSON.stringify(body);
}

/** Knows some tokens at once and others only when asked, as the real one; `lv_away` finds the database away. */
function createFixedKeyring(): Keyring {
  const callers = new Map<string, Caller>();
  return {
    known: (token) => callers.get(token),
    async lookUp(token) {
      if (token === "lv_away") throw new AppError("unavailable", "away", { retryAfterMs: 2_000 });
      const found = TOKENS[token];
      if (!found) return null;
      const caller = { ...found, actor: `key:${token}`, eventsPerSecond: 1_000 };
      callers.set(token, caller);
      return caller;
    },
    async refresh() {},
    hasReachedDatabase: true,
    stop() {},
  };
}
