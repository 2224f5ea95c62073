import { join } from "node:path";

import { answersHttp } from "./parts/answers-http.ts";
import { logSizeOf, type Part, pidFileOf, toPart } from "./parts/part.ts";
import { nodeBinary, ROOT } from "./paths.ts";
import { readFrom, startProcess } from "./process.ts";
import { type Ports, serviceEnvironment } from "./settings.ts";

interface Service {
  main: string;
  /** It answers `GET /readyz` there. */
  port: "ingest" | "api" | "outbox" | "consumers" | "workers";
}

/** Livora's own processes, in the order in which they are stopped: who takes things in first, who is needed by others last. */
export const SERVICES = {
  ingest: { main: "ingest/main.ts", port: "ingest" },
  analytics: { main: "analytics/main.ts", port: "consumers" },
  workers: { main: "workers/main.ts", port: "workers" },
  api: { main: "api/main.ts", port: "api" },
  outbox: { main: "delivery/providers/sandbox/main.ts", port: "outbox" },
} as const satisfies Record<string, Service>;

export type ServiceName = keyof typeof SERVICES;
export const SERVICE_NAMES = Object.keys(SERVICES) as ServiceName[];

/** Saves a fifth of what a start costs; after a crash, too. */
const NODE_COMPILE_CACHE = join(ROOT, "node_modules/.cache/node");

export interface ServiceOptions {
  dir: string;
  ports: Ports;
  env: NodeJS.ProcessEnv;
  /** Another version's tree instead of this one. */
  root?: string;
  /** The name by which the service is told of the stores; their address unless told. */
  storesHost?: string | undefined;
}

export async function startService(
  name: ServiceName,
  { dir, ports, env, root = ROOT, storesHost }: ServiceOptions,
): Promise<Part> {
  const service: Service = SERVICES[name];
  const options = { dir: join(dir, name), port: ports[service.port], log: join(dir, "logs", `${name}.log`) };
  const logFrom = logSizeOf(options.log);
  const child = await startProcess({
    name,
    command: nodeBinary(),
    args: [join(root, service.main)],
    cwd: root,
    env: { NODE_COMPILE_CACHE, ...serviceEnvironment(dir, ports, env, storesHost) },
    log: options.log,
    pidFile: pidFileOf(options.dir),
    stopTimeoutMs: 20_000,
  });
  const url = `http://127.0.0.1:${options.port}`;
  // The log as well: whoever answers at the port might be somebody else.
  const isReady = async () => readFrom(options.log, logFrom).includes('"msg":"ready"') && (await answersReadyz(url));
  // Not `/readyz`: who waits for a database that is away is well.
  return toPart(child, url, options, isReady, logFrom, (withinMs) => answersHttp(`${url}/healthz`, withinMs));
}

export async function answersReadyz(url: string): Promise<boolean> {
  const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) });
  return response.ok;
}
