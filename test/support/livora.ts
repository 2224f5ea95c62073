import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { BACKING_PARTS } from "../../infra/local/backing.ts";
import type { Endpoints } from "../../infra/local/endpoints.ts";
import { chooseFreePorts } from "../../infra/local/free-ports.ts";
import { nodeBinary, ROOT } from "../../infra/local/paths.ts";
import { answers, waitUntil } from "../../infra/local/ports.ts";
import { signalProcess, tailOf } from "../../infra/local/process.ts";
import { PORT_NAMES, PORTS, type Ports } from "../../infra/local/settings.ts";
import { answersReadyz, SERVICE_NAMES } from "../../infra/local/services.ts";
import { endLeftovers, type PartName } from "../../infra/local/system.ts";
import { makeTemporaryFolder, sweepTemporaryFolders } from "../../infra/local/temporary-folder.ts";
import type { EvidenceSources } from "./oracle-evidence.ts";

/** A Livora that runs somewhere, as tests see it. */
export interface LivoraTarget extends EvidenceSources {
  endpoints: Endpoints;
}

/** The whole of Livora as people start it: `npm start` in a process of its own, on free ports, in a folder of its own. */
export interface Livora extends LivoraTarget {
  dir: string;
  ports: Ports;
  /** What `npm start` has printed so far. */
  printed(): string;
  /** The process that stands for a part at the moment; null while it is down. */
  pidOf(part: PartName): number | null;
  /** `kill -9` of one part; its supervisor brings it back. Answers whether there was anything to kill. */
  kill9(part: PartName): boolean;
  /** Tells one part to stop, as a deployment does; its supervisor starts another in its place. */
  tellToStop(part: PartName): void;
  /** `kill -9` of the supervisor and of every part, at once. */
  kill9Everything(): Promise<void>;
  /** `npm start` once more on the same data. */
  start(): Promise<void>;
  /** Another process stands for the part than `pid`, and it answers. */
  waitBack(part: PartName, pid: number | null): Promise<void>;
  /** Ctrl-C; answers the exit code. */
  stop(): Promise<number | null>;
  /** Stops it and removes the folder; keeps it where `LIVORA_TEST_KEEP` is set. */
  tearDown(): Promise<void>;
}

const PARTS: readonly PartName[] = [...BACKING_PARTS, ...SERVICE_NAMES];
const START_WITHIN_MS = 180_000;

export async function startLivora(
  args: readonly string[] = ["--no-demo"],
  env: Record<string, string> = {},
  /** What it goes on with; a folder of its own where there is none. */
  existing?: string,
): Promise<Livora> {
  await sweepTemporaryFolders();
  const dir = existing ?? makeTemporaryFolder();
  const ports = await chooseFreePorts();
  const log = join(dir, "start.log");
  let child = await launch(dir, ports, args, env, log);
  const endpoints = readEndpoints(dir);
  const pidOf = (part: PartName) => readPid(join(dir, part, "pid.json"));

  async function stop(): Promise<number | null> {
    if (hasEnded(child)) return child.exitCode;
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    child.kill("SIGINT");
    return ended;
  }

  return {
    endpoints,
    dir,
    ports,
    client_id: endpoints.client_id,
    lake: endpoints.lake,
    outbox: endpoints.outbox,
    postgres: `postgres://livora:livora@127.0.0.1:${ports.postgres}/livora`,
    printed: () => readFileSync(log, "utf8"),
    pidOf,
    kill9(part) {
      const pid = pidOf(part);
      if (pid !== null) signalProcess(pid, "SIGKILL");
      return pid !== null;
    },
    tellToStop(part) {
      const pid = pidOf(part);
      if (pid !== null) signalProcess(pid, "SIGTERM");
    },
    async kill9Everything() {
      const ended = hasEnded(child) ? undefined : new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      for (const pid of PARTS.map(pidOf)) if (pid !== null) signalProcess(pid, "SIGKILL");
      await ended;
    },
    async start() {
      child = await launch(dir, ports, args, env, log);
    },
    waitBack: (part, pid) =>
      waitUntil(`${part} after its crash`, () => isBack(pidOf(part), pid, portOf(part, ports), part), 60_000),
    stop,
    async tearDown() {
      await stop();
      await endLeftovers(dir);
      if (!process.env.LIVORA_TEST_KEEP) rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function launch(
  dir: string,
  ports: Ports,
  args: readonly string[],
  env: Record<string, string>,
  log: string,
): Promise<ChildProcess> {
  mkdirSync(dir, { recursive: true });
  rmSync(join(dir, "endpoints.json"), { force: true });
  appendFileSync(log, "");
  const output = openSync(log, "a");
  const child = spawn(nodeBinary(), [join(ROOT, "infra/local/start.ts"), ...args], {
    cwd: ROOT,
    env: { ...process.env, LIVORA_DATA_DIR: dir, ...portVariables(ports), ...env },
    stdio: ["ignore", output, output],
    // Ctrl-C at the tests' terminal is for the tests to handle.
    detached: true,
  });
  closeSync(output);
  try {
    await waitUntil(
      "npm start",
      () => isServing(dir),
      START_WITHIN_MS,
      () => hasEnded(child),
    );
    return child;
  } catch (error) {
    child.kill("SIGTERM");
    await sleep(1_000);
    throw new Error(`${(error as Error).message}\n${tailOf(log, 40)}`, { cause: error });
  }
}

async function isServing(dir: string): Promise<boolean> {
  const { ingest, api, outbox } = readEndpoints(dir);
  const answers = await Promise.all([ingest, api, outbox].map(answersReadyz));
  return answers.every(Boolean);
}

async function isBack(pid: number | null, before: number | null, port: number, part: PartName): Promise<boolean> {
  if (pid === null || pid === before) return false;
  const hasReadyz = part === "ingest" || part === "api" || part === "outbox";
  return hasReadyz ? answersReadyz(`http://127.0.0.1:${port}`) : answers(port);
}

function portOf(part: PartName, ports: Ports): number {
  return part === "analytics" ? ports.consumers : ports[part];
}

function readEndpoints(dir: string): Endpoints {
  return JSON.parse(readFileSync(join(dir, "endpoints.json"), "utf8")) as Endpoints;
}

function readPid(file: string): number | null {
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as { pid: number }).pid;
  } catch {
    return null;
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function portVariables(ports: Ports): Record<string, string> {
  return Object.fromEntries(PORT_NAMES.map((name) => [PORTS[name].variable, String(ports[name])]));
}
