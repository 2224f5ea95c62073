import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { type Config, readConfig } from "../../platform/config.ts";
import { migrate } from "../../platform/postgres/migrate.ts";
import type { Report } from "./artifacts/artifact.ts";
import { BACKING_PARTS, type BackingPart, startBackingPart } from "./backing.ts";
import { postgresAdminUrl } from "./parts/postgres.ts";
import { endLeftover } from "./process.ts";
import { provision } from "./provision.ts";
import { type Ports, serviceEnvironment } from "./settings.ts";
import { SERVICE_NAMES, type ServiceName, startService } from "./services.ts";
import { createSupervisor, type Supervisor } from "./supervisor.ts";

export type PartName = BackingPart | ServiceName;

export interface SystemOptions {
  /** All data, logs and pid files. */
  dir: string;
  ports: Ports;
  env: NodeJS.ProcessEnv;
  /** Told when something died or came back. */
  report: Report;
}

/** All of Livora on one machine, every part under supervision. The steps are the caller's, who shows their progress. */
export interface System {
  config: Config;
  ports: Ports;
  supervisor: Supervisor;
  startPart(name: PartName, report: Report): Promise<void>;
  /** Database, roles, streams, tables, schema. */
  prepareStores(): Promise<void>;
  /** Services first, then what they stand on. */
  stop(): Promise<void>;
}

export function createSystem({ dir, ports, env, report }: SystemOptions): System {
  mkdirSync(dir, { recursive: true });
  const config = readConfig(serviceEnvironment(dir, ports, env));
  const supervisor = createSupervisor(report);
  return {
    config,
    ports,
    supervisor,
    async startPart(name, report) {
      const start = isBacking(name)
        ? () => startBackingPart(name, dir, ports, report)
        : () => startService(name, { dir, ports, env });
      await supervisor.supervise(name, start);
    },
    async prepareStores() {
      await provision(config, postgresAdminUrl(ports.postgres));
      await migrate(config.LIVORA_POSTGRES_URL);
    },
    async stop() {
      for (const name of SERVICE_NAMES) await supervisor.stop([name]);
      await supervisor.stop(["temporal"]);
      await supervisor.stop(BACKING_PARTS);
    },
  };
}

function isBacking(name: PartName): name is BackingPart {
  return (BACKING_PARTS as readonly string[]).includes(name);
}

/** Ends what a killed supervisor left running in this folder; answers what it found. */
export async function endLeftovers(dir: string): Promise<string[]> {
  const end = (name: PartName) => endLeftover(join(dir, name, "pid.json"), name === "postgres" ? "SIGINT" : "SIGTERM");
  const services = await Promise.all(SERVICE_NAMES.map(end));
  const backing = await Promise.all(BACKING_PARTS.map(end));
  return [...services, ...backing].filter((found) => found !== null);
}
