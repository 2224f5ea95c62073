import { mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

import { BACKING_PARTS } from "./backing.ts";
import { lostTimeEnvironment } from "./backup/lost-time.ts";
import { DEMO_DELAYS, ensureDemo } from "./demo-client.ts";
import { runDemoShop } from "./demo-shop/demo-shop.ts";
import { writeEndpoints } from "./endpoints.ts";
import { lockFolder } from "./lock.ts";
import { HELP, parseOptions, type StartOptions } from "./options.ts";
import { ROOT } from "./paths.ts";
import { isPortFree } from "./ports.ts";
import { runTasks, type Task } from "./progress.ts";
import { SERVICE_NAMES } from "./services.ts";
import { choosePorts, describeTakenPorts, PORT_NAMES, type Ports } from "./settings.ts";
import { awaitStopSignal } from "./stop-signals.ts";
import { createSystem, endLeftovers, type PartName, type System } from "./system.ts";
import { describeWelcome, inventVisitor } from "./welcome.ts";

const SHOP_OPENS =
  "The demo shop opens. More events are enriched than it sends: what becomes of a message comes back as one.\n";
const MAX_LOG_BYTES = 20 * 1024 * 1024;

/** `npm start`: see docs/runbooks/local-stack.md. */
async function start(options: StartOptions): Promise<void> {
  const dir = resolve(process.env.LIVORA_DATA_DIR || join(ROOT, ".livora"));
  const ports = choosePorts(process.env, options.portBase);
  const unlock = lockFolder(dir);
  try {
    for (const left of await endLeftovers(dir)) console.log(`Ended ${left}, left over from a start that was killed.`);
    await refuseTakenPorts(ports);
    rotateLogs(join(dir, "logs"));
    // Where files of history may be put, to be loaded by their path.
    mkdirSync(join(dir, "import"), { recursive: true });
    await runUntilStopped(
      createSystem({
        dir,
        ports,
        env: { ...lostTimeEnvironment(dir), ...process.env },
        report: (text) => console.log(`! ${text}`),
      }),
      dir,
      options,
    );
  } finally {
    unlock();
  }
}

async function runUntilStopped(system: System, dir: string, options: StartOptions): Promise<void> {
  const stopping = new AbortController();
  const stopped = awaitStopSignal(() => system.supervisor.killAll());
  try {
    await Promise.race([bringUp(system, dir, options, stopping.signal), stopped]);
  } finally {
    stopping.abort();
    console.log("\nStopping …");
    await system.stop();
    console.log("Stopped. The data is kept; `npm start` goes on from here.");
  }
}

/** Resolves only with a failure, by throwing: what runs, runs until it is stopped. */
async function bringUp(system: System, dir: string, options: StartOptions, signal: AbortSignal): Promise<void> {
  const startPart = (name: PartName): Task => ({ title: name, run: (report) => system.startPart(name, report) });
  await runTasks(BACKING_PARTS.map(startPart));
  await runTasks([{ title: "database, streams, tables", run: () => system.prepareStores() }]);
  await runTasks(SERVICE_NAMES.map(startPart));
  const endpoints = writeEndpoints(dir, system.config, system.ports, await ensureDemo(system.config, dir));
  console.log(describeWelcome(endpoints, inventVisitor(), DEMO_DELAYS));
  if (options.demo) console.log(SHOP_OPENS);
  if (options.demo) await runDemoShop({ endpoints, config: system.config, ...DEMO_DELAYS, signal });
  await new Promise(() => {});
}

/** What has grown large is put aside; one such file is kept of each. */
function rotateLogs(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const logs = readdirSync(folder).filter((name) => name.endsWith(".log"));
  for (const log of logs.map((name) => join(folder, name))) {
    if (statSync(log).size > MAX_LOG_BYTES) renameSync(log, `${log}.1`);
  }
}

async function refuseTakenPorts(ports: Ports): Promise<void> {
  const free = await Promise.all(PORT_NAMES.map((name) => isPortFree(ports[name])));
  const message = describeTakenPorts(
    PORT_NAMES.filter((_, place) => !free[place]),
    ports,
  );
  if (message) throw new Error(message);
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(HELP);
  else await start(options);
  process.exit(0);
} catch (error) {
  console.error(`\n${(error as Error).message}`);
  process.exit(1);
}
