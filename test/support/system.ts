import { rmSync } from "node:fs";
import { join } from "node:path";

import { findFreePorts } from "../../infra/local/ports.ts";
import { PORT_NAMES, type Ports } from "../../infra/local/settings.ts";
import { type PartName, startSystem, type System } from "../../infra/local/system.ts";
import { makeTemporaryFolder, sweepTemporaryFolders } from "../../infra/local/temporary-folder.ts";

export interface TestSystem extends System {
  dir: string;
  ports: Ports;
  /** Base URLs. */
  ingest: string;
  api: string;
  outbox: string;
  /** The lake's folder. */
  lake: string;
  /** `kill -9`; it comes back by itself. */
  kill(name: PartName): void;
  /** Stops everything and removes the folder; keeps it where `LIVORA_TEST_KEEP` is set. */
  tearDown(): Promise<void>;
}

/** All of Livora as `npm start` runs it, in a folder of its own and on free ports: for end-to-end and crash tests. */
export async function startTestSystem(env: Record<string, string> = {}): Promise<TestSystem> {
  await sweepTemporaryFolders();
  const dir = makeTemporaryFolder();
  const ports = await chooseFreePorts();
  const report = process.env.LIVORA_TEST_VERBOSE ? (text: string) => console.log(text) : () => {};
  const system = await startSystem({ dir, ports, env: { ...process.env, ...env }, report });
  return {
    ...system,
    dir,
    ports,
    ingest: `http://127.0.0.1:${ports.ingest}`,
    api: `http://127.0.0.1:${ports.api}`,
    outbox: `http://127.0.0.1:${ports.outbox}`,
    lake: join(dir, "lake"),
    kill: (name) => system.supervisor.signal(name, "SIGKILL"),
    async tearDown() {
      await system.stop();
      if (!process.env.LIVORA_TEST_KEEP) rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function chooseFreePorts(): Promise<Ports> {
  const free = await findFreePorts(PORT_NAMES.length);
  return Object.fromEntries(PORT_NAMES.map((name, place) => [name, free[place]])) as Ports;
}
