import { execFileSync } from "node:child_process";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { cacheDir } from "../paths.ts";
import { identifyProcess, isRunning } from "../process-identity.ts";

/** Told, in a few words, what is going on. */
export type Report = (text: string) => void;

/** One way to come by a program. Null: not this way, and `report` has said why where it is worth knowing. */
export type Way = (folder: string, report: Report) => Promise<boolean>;

export interface Artifact {
  /** The folder in the cache, with the version in its name. */
  name: string;
  /** The program within the folder. */
  program: string;
  /** Tried in turn; each fills the (empty) folder it is given, and answers whether it could. */
  ways: readonly { label: string; fill: Way }[];
  /** What to do by hand, where nothing works. */
  hint: string;
}

/** The program from the cache, which is filled first where it is empty: by one process at a time, and wholly or not at all. */
export async function findOrMake(artifact: Artifact, report: Report): Promise<string> {
  const folder = join(cacheDir(), artifact.name);
  const program = join(folder, artifact.program);
  if (isExecutable(program)) return program;
  mkdirSync(cacheDir(), { recursive: true });
  await withLock(`${folder}.lock`, report, async () => {
    if (!isExecutable(program)) await make(artifact, folder, report);
  });
  return program;
}

async function make(artifact: Artifact, folder: string, report: Report): Promise<void> {
  const reasons: string[] = [];
  for (const { label, fill } of artifact.ways) {
    const fresh = `${folder}.${process.pid}.new`;
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh, { recursive: true });
    report(label);
    try {
      if ((await fill(fresh, report)) && isExecutable(join(fresh, artifact.program))) {
        rmSync(folder, { recursive: true, force: true });
        renameSync(fresh, folder);
        return;
      }
      reasons.push(`${label}: not possible here`);
    } catch (error) {
      reasons.push(`${label}: ${firstLine(error)}`);
    } finally {
      rmSync(fresh, { recursive: true, force: true });
    }
  }
  throw new Error(
    `${artifact.name} could not be had.\n${reasons.map((reason) => `  ${reason}`).join("\n")}\n${artifact.hint}`,
  );
}

function firstLine(error: unknown): string {
  const { message, cause } = error as Error & { cause?: Error };
  return `${message.split("\n", 1)[0]}${cause?.message ? ` (${cause.message})` : ""}`;
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Like `which`. */
export function findOnPath(names: readonly string[], path = process.env.PATH ?? ""): string | null {
  for (const name of names) {
    for (const folder of path.split(delimiter).filter(Boolean)) {
      if (isExecutable(join(folder, name))) return join(folder, name);
    }
  }
  return null;
}

/** Waits while another process holds the lock; takes it over from one that has died. */
async function withLock(file: string, report: Report, work: () => Promise<void>): Promise<void> {
  while (!takeLock(file)) {
    report("waiting for another process that is at it");
    await sleep(500);
  }
  try {
    await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function takeLock(file: string): boolean {
  try {
    writeFileSync(file, JSON.stringify({ pid: process.pid, identity: identifyProcess(process.pid) }), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    if (isAbandoned(file)) rmSync(file, { force: true });
    return false;
  }
}

function isAbandoned(file: string): boolean {
  try {
    const holder = JSON.parse(readFileSync(file, "utf8")) as { pid: number; identity: string };
    return !isRunning(holder.pid, holder.identity);
  } catch {
    // Just being written, or just gone.
    return existsSync(file) && Date.now() - statSync(file).mtimeMs > 10_000;
  }
}

const CONNECT_TIMEOUT_MS = 4_000;

/**
 * Fetches into memory. Where the network is closed it says so within seconds; once bytes flow, a download may take as
 * long as it goes on flowing.
 */
export async function download(url: string, report: Report): Promise<Buffer> {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(new Error("no answer")), CONNECT_TIMEOUT_MS);
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(new Error("stalled")), 15_000);
  };
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (!response.ok || !response.body) throw new Error(`${new URL(url).host} answered ${response.status}`);
    const total = Number(response.headers.get("content-length") ?? 0);
    const chunks: Uint8Array[] = [];
    let received = 0;
    for await (const chunk of response.body) {
      again();
      chunks.push(chunk);
      received += chunk.byteLength;
      report(`downloading ${describeBytes(received)}${total ? ` of ${describeBytes(total)}` : ""}`);
    }
    return Buffer.concat(chunks);
  } finally {
    clearTimeout(timer);
  }
}

function describeBytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

/** Unpacks a .tar.gz with the system's tar, which every Debian and macOS has. */
export function unpackTar(archive: Buffer, folder: string): void {
  const file = join(dirname(folder), `${process.pid}.tar.gz`);
  writeFileSync(file, archive);
  try {
    execFileSync("tar", ["-xzf", file, "-C", folder]);
  } finally {
    rmSync(file, { force: true });
  }
}
