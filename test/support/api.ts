import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

import { type ApiContext, createApiContext } from "../../api/context.ts";
import { createApiServer } from "../../api/server.ts";
import { type ApiScope, formatApiKey } from "../../core/api-key.ts";
import { ensureApiKey, ensureClient } from "../../crm/ensure-client.ts";
import type { Config } from "../../platform/config.ts";
import type { Logger } from "../../platform/logger.ts";
import { stackConfig } from "./stack-config.ts";

export interface Answered {
  status: number;
  headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- what a test expects of it, it says
  body: any;
}

export interface Asked {
  /** Of the first client where nothing is said. */
  key?: string;
  body?: unknown;
  raw?: string | Buffer;
  headers?: Record<string, string>;
}

/** The API on the tests' stack, for two clients of its own. */
export interface TestApi {
  api: ApiContext;
  base: string;
  ours: { client_id: string; api_key: string };
  theirs: { client_id: string; api_key: string };
  /** Campaigns whose runs were to be woken. */
  resumed: string[];
  call(method: string, path: string, asked?: Asked): Promise<Answered>;
  /** Another key of the first client. */
  addKey(scopes: ApiScope[]): Promise<string>;
  close(): Promise<void>;
}

export async function startTestApi(overrides: Partial<Config> = {}, log?: Logger): Promise<TestApi> {
  const resumed: string[] = [];
  // The worker that wakes runs has tests of its own; here it is enough to see that it was asked.
  const journeys = {
    resumeCampaign: async ({ campaign_id }: { campaign_id: string }) => void resumed.push(campaign_id),
    whereIs: async () => null,
  };
  const quiet = { LIVORA_API_REQUESTS_PER_SECOND: 1_000, LIVORA_LOG_LEVEL: "silent" as const };
  const api = createApiContext({ ...stackConfig(), ...quiet, ...overrides }, { journeys, ...(log && { log }) });
  const [ours, theirs] = await Promise.all([makeClient(api, "api"), makeClient(api, "other")]);
  const server = createApiServer(api);
  const base = await listen(server);
  return {
    api,
    base,
    ours,
    theirs,
    resumed,
    call: (method, path, asked = {}) => ask(base + path, method, { key: ours.api_key, ...asked }),
    async addKey(scopes) {
      const key = makeKey(ours.client_id);
      await ensureApiKey(api, { client_id: ours.client_id, api_key: key, scopes });
      return key;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await api.close();
    },
  };
}

export async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function makeClient(api: ApiContext, kind: string) {
  const client_id = `${kind}-${crypto.randomUUID().slice(0, 8)}`;
  const api_key = makeKey(client_id);
  await ensureClient(api, { client_id, name: client_id });
  await ensureApiKey(api, { client_id, api_key });
  return { client_id, api_key };
}

function makeKey(clientId: string): string {
  return formatApiKey(clientId, crypto.getRandomValues(new Uint8Array(24)));
}

async function ask(url: string, method: string, { key, body, raw, headers }: Asked): Promise<Answered> {
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(sent !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    ...(sent !== undefined && { body: sent }),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}
