import { execFile } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { BACKING_PARTS, type BackingPart, startBackingPart } from "../../infra/local/backing.ts";
import { ensureDemo } from "../../infra/local/demo-client.ts";
import { writeEndpoints } from "../../infra/local/endpoints.ts";
import { postgresAdminUrl } from "../../infra/local/parts/postgres.ts";
import type { Part } from "../../infra/local/parts/part.ts";
import { chooseFreePorts } from "../../infra/local/free-ports.ts";
import { findFreePorts } from "../../infra/local/ports.ts";
import { provision } from "../../infra/local/provision.ts";
import { SERVICE_NAMES, type ServiceName, startService } from "../../infra/local/services.ts";
import { type Ports, serviceEnvironment } from "../../infra/local/settings.ts";
import { createSupervisor, type Supervisor } from "../../infra/local/supervisor.ts";
import type { PartName } from "../../infra/local/system.ts";
import { makeTemporaryFolder } from "../../infra/local/temporary-folder.ts";
import { type Config, readConfig } from "../../platform/config.ts";
import { migrate } from "../../platform/postgres/migrate.ts";
import { type HttpProxy, startHttpProxy } from "../support/fault-proxy/http-proxy.ts";
import { startWire, type Wire } from "../support/fault-proxy/wire.ts";
import type { LivoraTarget } from "../support/livora.ts";

const run = promisify(execFile);

/** What the services may reach through a proxy; `api` is how providers reach the webhooks. */
export type Reachable = BackingPart | "outbox" | "api";

export interface StackOptions {
  /** Which parts the services reach through a wire, which through an HTTP proxy. */
  wires?: readonly Reachable[];
  proxies?: readonly Reachable[];
  /** The services are told of the stores by this name instead of their address. */
  storesHost?: string;
  /** Added to the environment of single services. */
  env?: Partial<Record<ServiceName, Record<string, string>>>;
  /** Called before anything is started, with the stack's folder. */
  prepare?: (dir: string) => void;
  random?: () => number;
}

/** All of Livora as processes, on free ports, with a proxy wherever one was asked for. We are its supervisor. */
export interface ChaosStack extends LivoraTarget {
  dir: string;
  /** Where the parts listen themselves. */
  ports: Ports;
  /** Ours: past all proxies. */
  config: Config;
  supervisor: Supervisor;
  wire(name: Reachable): Wire;
  proxy(name: Reachable): HttpProxy;
  pidOf(part: PartName): number | null;
  /** Not supervised: one more process of a service, in a folder of its own; the caller stops it. */
  startAnother(name: ServiceName, as: string, options?: { root?: string }): Promise<Part>;
  /** Stops a part and starts it anew, with other variables. */
  restart(name: ServiceName, env?: Record<string, string>): Promise<void>;
  /** Why parts ended and that they came back, oldest first. */
  reports: readonly string[];
  tearDown(): Promise<void>;
}

export async function startStack(options: StackOptions = {}): Promise<ChaosStack> {
  const dir = makeTemporaryFolder();
  options.prepare?.(dir);
  const ports = await chooseFreePorts();
  const reports: string[] = [];
  const supervisor = createSupervisor((text) => void reports.push(text));
  const wires = new Map<Reachable, Wire>();
  const proxies = new Map<Reachable, HttpProxy>();
  const seen = { ...ports };
  const config = readConfig({ ...serviceEnvironment(dir, ports, {}), LIVORA_LOG_LEVEL: "warn" });

  const environmentOf = (name: ServiceName, env: Record<string, string> = {}) => ({
    ...process.env,
    LIVORA_PUBLIC_API_URL: `http://127.0.0.1:${seen.api}`,
    ...options.env?.[name],
    ...env,
  });
  /** A service hears of the proxies, but listens where it always does. */
  const portsOf = (name: ServiceName): Ports => ({
    ...seen,
    api: ports.api,
    ...(name === "outbox" && { outbox: ports.outbox }),
  });
  const { storesHost } = options;
  const supervise = (name: ServiceName, env?: Record<string, string>) =>
    supervisor.supervise(name, () =>
      startService(name, { dir, ports: portsOf(name), env: environmentOf(name, env), storesHost }),
    );

  async function tearDown(): Promise<void> {
    for (const name of SERVICE_NAMES) await supervisor.stop([name]);
    await supervisor.stop(["temporal"]);
    await supervisor.stop(BACKING_PARTS);
    await Promise.all([...wires.values(), ...proxies.values()].map((proxy) => proxy.close()));
    await unmountBelow(dir);
    if (!process.env.LIVORA_TEST_KEEP) rmSync(dir, { recursive: true, force: true });
  }

  try {
    for (const name of options.wires ?? []) {
      const wire = await startWire({ host: "127.0.0.1", port: ports[name] }, { random: options.random });
      wires.set(name, wire);
      seen[name] = wire.port;
    }
    for (const name of options.proxies ?? []) {
      const proxy = await startHttpProxy(`http://127.0.0.1:${seen[name]}`);
      proxies.set(name, proxy);
      seen[name] = proxy.port;
    }
    await Promise.all(
      BACKING_PARTS.map((name) => supervisor.supervise(name, () => startBackingPart(name, dir, ports, () => {}))),
    );
    await provision(config, postgresAdminUrl(ports.postgres));
    await migrate(config.LIVORA_POSTGRES_URL);
    await Promise.all(SERVICE_NAMES.map((name) => supervise(name)));
    const endpoints = writeEndpoints(dir, config, ports, await ensureDemo(config, dir));
    return {
      endpoints,
      client_id: endpoints.client_id,
      lake: endpoints.lake,
      outbox: endpoints.outbox,
      postgres: config.LIVORA_POSTGRES_URL,
      dir,
      ports,
      config,
      supervisor,
      wire: (name) => found(wires, name),
      proxy: (name) => found(proxies, name),
      pidOf: (part) => supervisor.pidOf(part) ?? null,
      async startAnother(name, as, { root } = {}) {
        const [port = 0] = await findFreePorts(1);
        const own = { ...portsOf(name), ingest: port, consumers: port, workers: port };
        const shared = { LIVORA_LAKE: join(dir, "lake"), LIVORA_SANDBOX_DIR: join(dir, "sandbox") };
        const part = await startService(name, {
          dir: join(dir, as),
          ports: own,
          env: environmentOf(name, shared),
          ...(root && { root }),
        });
        await part.ready();
        return part;
      },
      async restart(name, env) {
        await supervisor.stop([name]);
        await supervise(name, env);
      },
      reports,
      tearDown,
    };
  } catch (error) {
    await tearDown();
    throw error;
  }
}

function found<T>(all: ReadonlyMap<Reachable, T>, name: Reachable): T {
  const one = all.get(name);
  if (one === undefined) throw new Error(`the scenario did not ask for a proxy before ${name}`);
  return one;
}

/** Disks that a scenario has put there: what is mounted cannot be removed. */
async function unmountBelow(dir: string): Promise<void> {
  const mounts = existsSync("/proc/self/mounts") ? readFileSync("/proc/self/mounts", "utf8").split("\n") : [];
  const points = mounts.flatMap((line) => line.split(" ")[1] ?? []).filter((point) => point.startsWith(`${dir}/`));
  for (const point of points) await run("umount", ["--lazy", point]);
}
