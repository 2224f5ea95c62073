import { spawn } from "node:child_process";
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { identifyProcess, isRunning } from "./process-identity.ts";

export interface ProcessOptions {
  name: string;
  command: string;
  args: readonly string[];
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
  /** Both outputs are appended here. A file, not a pipe: the child outlives us where we are killed. */
  log: string;
  /** Number and identity are written here while it runs, so that a later start can end what was left behind. */
  pidFile: string;
  stopSignal?: NodeJS.Signals;
  stopTimeoutMs?: number;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ManagedProcess {
  name: string;
  pid: number;
  /** Resolves when it has ended, for whatever reason. */
  exited: Promise<Exit>;
  isAlive(): boolean;
  /** Asks it to end and waits; kills it when it takes too long. */
  stop(): Promise<void>;
}

/** A child in its own process group, so that Ctrl-C in the terminal reaches only us and we end things in order. */
export async function startProcess(options: ProcessOptions): Promise<ManagedProcess> {
  mkdirSync(dirname(options.log), { recursive: true });
  mkdirSync(dirname(options.pidFile), { recursive: true });
  const output = openSync(options.log, "a");
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    ...(options.uid !== undefined && { uid: options.uid, gid: options.gid }),
    stdio: ["ignore", output, output],
    detached: true,
  });
  closeSync(output);
  let alive = true;
  const exited = new Promise<Exit>((resolve) => {
    child.once("exit", (code, signal) => {
      alive = false;
      forget(options.pidFile, child.pid);
      resolve({ code, signal });
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error) => reject(new Error(`${options.name} could not be started: ${error.message}`)));
  });
  const pid = child.pid as number;
  writeFileSync(options.pidFile, JSON.stringify({ name: options.name, pid, identity: identifyProcess(pid) }));
  return {
    name: options.name,
    pid,
    exited,
    isAlive: () => alive,
    stop: () => stopChild(options, pid, exited, () => alive),
  };
}

async function stopChild(
  options: ProcessOptions,
  pid: number,
  exited: Promise<Exit>,
  isAlive: () => boolean,
): Promise<void> {
  if (!isAlive()) return;
  signalProcess(pid, options.stopSignal ?? "SIGTERM");
  const timer = setTimeout(() => signalProcess(pid, "SIGKILL"), options.stopTimeoutMs ?? 15_000);
  await exited;
  clearTimeout(timer);
}

/** Ends what an earlier supervisor left behind: only where the pid file names a process that is still the same one. */
export async function endLeftover(
  pidFile: string,
  signal: NodeJS.Signals = "SIGTERM",
  timeoutMs = 10_000,
): Promise<string | null> {
  const left = readPidFile(pidFile);
  if (!left) return null;
  const isLeft = () => left.identity !== null && isRunning(left.pid, left.identity);
  const found = isLeft();
  if (found) {
    signalProcess(left.pid, signal);
    const deadline = Date.now() + timeoutMs;
    while (isLeft() && Date.now() < deadline) await sleep(50);
    if (isLeft()) signalProcess(left.pid, "SIGKILL");
    while (isLeft()) await sleep(50);
  }
  rmSync(pidFile, { force: true });
  return found ? `${left.name} (pid ${left.pid})` : null;
}

/** The process that a pid file names, if it is still the same one and runs. */
export function findRunning(pidFile: string): number | null {
  const noted = readPidFile(pidFile);
  return noted?.identity && isRunning(noted.pid, noted.identity) ? noted.pid : null;
}

export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** What was written to a log after the byte `from`; empty where there is none. */
export function readFrom(log: string, from: number): string {
  try {
    const file = openSync(log, "r");
    try {
      const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - from));
      return bytes.toString("utf8", 0, readSync(file, bytes, 0, bytes.length, from));
    } finally {
      closeSync(file);
    }
  } catch {
    return "";
  }
}

/** The last lines of a log, for a message that says why something did not start. */
export function tailOf(log: string, lines = 12, from = 0): string {
  return readFrom(log, from).trimEnd().split("\n").slice(-lines).join("\n");
}

function readPidFile(pidFile: string): { name: string; pid: number; identity: string | null } | null {
  try {
    return JSON.parse(readFileSync(pidFile, "utf8"));
  } catch {
    return null;
  }
}

/** Only our own entry: a successor may have written the file meanwhile. */
function forget(pidFile: string, pid: number | undefined): void {
  if (readPidFile(pidFile)?.pid === pid) rmSync(pidFile, { force: true });
}
