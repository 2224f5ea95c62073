import { rmSync } from "node:fs";

import { ensureDemo } from "../infra/local/demo-client.ts";
import { type Endpoints, writeEndpoints } from "../infra/local/endpoints.ts";
import { chooseFreePorts } from "../infra/local/free-ports.ts";
import { BACKING_PARTS } from "../infra/local/backing.ts";
import { SERVICE_NAMES } from "../infra/local/services.ts";
import { createSystem } from "../infra/local/system.ts";
import { makeTemporaryFolder } from "../infra/local/temporary-folder.ts";

/** The whole of Livora, for scenarios that no part of it can measure alone. */
export interface WholeLivora {
  endpoints: Endpoints;
  call(method: string, path: string, body?: unknown): Promise<void>;
  stop(): Promise<void>;
}

export async function startLivora(report: (text: string) => void): Promise<WholeLivora> {
  const dir = makeTemporaryFolder();
  const ports = await chooseFreePorts();
  // oxlint-disable-next-line node/no-process-env -- handed on to the services, not read
  const system = createSystem({ dir, ports, env: process.env, report });
  await Promise.all(BACKING_PARTS.map((name) => system.startPart(name, report)));
  await system.prepareStores();
  await Promise.all(SERVICE_NAMES.map((name) => system.startPart(name, report)));
  const endpoints = writeEndpoints(dir, system.config, ports, await ensureDemo(system.config, dir));
  return {
    endpoints,
    async call(method, path, body) {
      const response = await fetch(`${endpoints.api}${path}`, {
        method,
        headers: headersOf(endpoints),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    },
    async stop() {
      await system.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export async function postEvents(endpoints: Endpoints, events: readonly object[]): Promise<void> {
  const response = await fetch(`${endpoints.ingest}/v1/events`, {
    method: "POST",
    headers: headersOf(endpoints),
    body: JSON.stringify(events),
  });
  if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
}

function headersOf({ api_key, client_id }: Endpoints): Record<string, string> {
  return { authorization: `Bearer ${api_key}`, "x-client-id": client_id, "content-type": "application/json" };
}
