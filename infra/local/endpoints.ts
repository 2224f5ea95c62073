import { renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import type { Config } from "../../platform/config.ts";
import type { Ports } from "./settings.ts";

/** What scripts need to know of a running stack: `.livora/endpoints.json`. */
export interface Endpoints {
  /** Base URLs. */
  ingest: string;
  api: string;
  outbox: string;
  /** Of the consumers' and the workers' `/metrics`. */
  analytics: string;
  workers: string;
  temporal_address: string;
  temporal_web: string;
  /** The lake's folder. */
  lake: string;
  client_id: string;
  /** The bearer token of both ingest and API. */
  api_key: string;
  /** What Livora's services are told of stores, providers and a restore: for tools that read past the services. */
  environment: Record<string, string>;
}

const STORES = [
  "LIVORA_POSTGRES_URL",
  "LIVORA_POSTGRES_TENANT_URL",
  "LIVORA_REDIS_URL",
  "LIVORA_KINESIS_URL",
  "LIVORA_DYNAMODB_URL",
  "LIVORA_TEMPORAL_ADDRESS",
  "LIVORA_LAKE",
  "LIVORA_TWILIO_URL",
  "LIVORA_SENDGRID_URL",
  "LIVORA_FCM_URL",
  "LIVORA_LOST_SINCE",
  "LIVORA_LOST_UNTIL",
] as const;

export interface Credentials {
  client_id: string;
  api_key: string;
}

export function writeEndpoints(dir: string, config: Config, ports: Ports, credentials: Credentials): Endpoints {
  const endpoints: Endpoints = {
    ingest: `http://127.0.0.1:${ports.ingest}`,
    api: `http://127.0.0.1:${ports.api}`,
    outbox: `http://127.0.0.1:${ports.outbox}`,
    analytics: `http://127.0.0.1:${ports.consumers}`,
    workers: `http://127.0.0.1:${ports.workers}`,
    temporal_address: config.LIVORA_TEMPORAL_ADDRESS,
    temporal_web: `http://127.0.0.1:${ports.temporalWeb}`,
    lake: resolve(config.LIVORA_LAKE),
    client_id: credentials.client_id,
    api_key: credentials.api_key,
    environment: Object.fromEntries(
      STORES.map((name) => [name, name === "LIVORA_LAKE" ? resolve(config[name]) : config[name]]),
    ),
  };
  const file = join(dir, "endpoints.json");
  writeFileSync(`${file}.new`, `${JSON.stringify(endpoints, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return endpoints;
}
