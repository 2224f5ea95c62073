import { mkdirSync } from "node:fs";
import { join } from "node:path";

import type { Report } from "./artifacts/artifact.ts";
import { startDynamodb } from "./parts/dynamodb.ts";
import { startKinesis } from "./parts/kinesis.ts";
import type { Part, PartOptions } from "./parts/part.ts";
import { startPostgres } from "./parts/postgres.ts";
import { startRedis } from "./parts/redis.ts";
import { startTemporal } from "./parts/temporal.ts";

export const BACKING_PARTS = ["postgres", "redis", "kinesis", "dynamodb", "temporal"] as const;
export type BackingPart = (typeof BACKING_PARTS)[number];
export type BackingPorts = Record<BackingPart, number> & { temporalWeb: number | null };

/** How each backing part is started; its folder is `<dir>/<name>`, its log `<dir>/logs/<name>.log`. */
export function startBackingPart(name: BackingPart, dir: string, ports: BackingPorts, report: Report): Promise<Part> {
  const options: PartOptions = { dir: join(dir, name), port: ports[name], log: join(dir, "logs", `${name}.log`) };
  mkdirSync(options.dir, { recursive: true });
  switch (name) {
    case "postgres":
      return startPostgres(options);
    case "redis":
      return startRedis(options, report);
    case "kinesis":
      return startKinesis(options);
    case "dynamodb":
      return startDynamodb(options);
    case "temporal":
      return startTemporal({ ...options, webPort: ports.temporalWeb }, report);
  }
}

/** The part of the environment that says where the backing parts are. */
export function backingEnvironment(ports: BackingPorts, host = "127.0.0.1"): Record<string, string> {
  return {
    LIVORA_POSTGRES_URL: `postgres://livora:livora@${host}:${ports.postgres}/livora`,
    LIVORA_POSTGRES_TENANT_URL: `postgres://livora_tenant:livora@${host}:${ports.postgres}/livora`,
    LIVORA_REDIS_URL: `redis://${host}:${ports.redis}`,
    LIVORA_KINESIS_URL: `http://${host}:${ports.kinesis}`,
    LIVORA_DYNAMODB_URL: `http://${host}:${ports.dynamodb}`,
    LIVORA_TEMPORAL_ADDRESS: `${host}:${ports.temporal}`,
  };
}
