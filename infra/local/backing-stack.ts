import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { type Config, readConfig } from "../../platform/config.ts";
import { migrate } from "../../platform/postgres/migrate.ts";
import type { Report } from "./artifacts/artifact.ts";
import { BACKING_PARTS, type BackingPart, type BackingPorts, backingEnvironment, startBackingPart } from "./backing.ts";
import type { Part } from "./parts/part.ts";
import { postgresAdminUrl } from "./parts/postgres.ts";
import { findFreePorts } from "./ports.ts";
import { provision } from "./provision.ts";

export interface BackingStack {
  /** A plain object, so that it may cross into test workers and JSON files. */
  config: Config;
  parts: Record<BackingPart, Part>;
  stop(): Promise<void>;
}

/** All backing parts on free ports, provisioned and migrated, with their data under `dir`: what integration tests run on. */
export async function startBackingStack(dir: string, report: Report = () => {}): Promise<BackingStack> {
  mkdirSync(dir, { recursive: true });
  const ports = await choosePorts();
  const started: [BackingPart, Part][] = [];
  const stop = async () => void (await Promise.all(started.map(([, part]) => part.stop())));
  try {
    await Promise.all(
      BACKING_PARTS.map(async (name) => {
        const part = await startBackingPart(name, dir, ports, (text) => report(`${name}: ${text}`));
        started.push([name, part]);
        await part.ready();
        report(`${name}: ready on ${part.url}`);
      }),
    );
    const config = configure(dir, ports);
    await provision(config, postgresAdminUrl(ports.postgres));
    await migrate(config.LIVORA_POSTGRES_URL);
    return { config, parts: Object.fromEntries(started) as Record<BackingPart, Part>, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function choosePorts(): Promise<BackingPorts> {
  const [postgres = 0, redis = 0, kinesis = 0, dynamodb = 0, temporal = 0] = await findFreePorts(BACKING_PARTS.length);
  return { postgres, redis, kinesis, dynamodb, temporal, temporalWeb: null };
}

function configure(dir: string, ports: BackingPorts): Config {
  return readConfig({
    ...backingEnvironment(ports),
    LIVORA_LAKE: join(dir, "lake"),
    LIVORA_SANDBOX_DIR: join(dir, "sandbox"),
    LIVORA_LOG_LEVEL: process.env.LIVORA_LOG_LEVEL ?? "warn",
    LIVORA_INGEST_PORT: "0",
    LIVORA_API_PORT: "0",
    LIVORA_OUTBOX_PORT: "0",
    LIVORA_CONSUMERS_METRICS_PORT: "0",
    LIVORA_WORKERS_METRICS_PORT: "0",
  });
}
