import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

import { cacheDir } from "../../infra/local/paths.ts";

const VERSION = "4.4.0";
const run = promisify(execFile);

export interface ChdbAnswer {
  rows: unknown[][];
  seconds: number;
  /** Of its process, user and system. */
  cpu: number;
  /** Megabytes that it ever held. */
  memory: number;
}

/** ClickHouse's engine in a Python process of its own, which lives as long as this does. */
export interface Chdb {
  version: string;
  ask(sql: string): Promise<ChdbAnswer>;
  stop(): Promise<void>;
}

export async function startChdb(report: (text: string) => void): Promise<Chdb> {
  const python = await findChdb(report);
  const child = spawn(python, [join(import.meta.dirname, "answer-sql.py")], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("chdb has ended");
    return JSON.parse(value) as Record<string, unknown>;
  };
  const { version } = (await next()) as { version: string };
  return {
    version,
    async ask(sql) {
      child.stdin.write(`${JSON.stringify({ sql })}\n`);
      const answer = await next();
      if (answer["error"] !== undefined) throw new Error(`chdb: ${String(answer["error"])}`);
      return answer as unknown as ChdbAnswer;
    },
    stop: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** From the cache, or installed into it from PyPI, in a virtual environment of its own: some 900 MB. */
async function findChdb(report: (text: string) => void): Promise<string> {
  const folder = join(cacheDir(), `chdb-${VERSION}`);
  const python = join(folder, "bin", "python");
  const mark = join(folder, "complete");
  if (existsSync(mark)) return python;
  report(`installs chdb ${VERSION} into ${folder}, once`);
  rmSync(folder, { recursive: true, force: true });
  await run("python3", ["-m", "venv", folder]);
  await run(python, ["-m", "pip", "install", "--quiet", `chdb==${VERSION}`]);
  writeFileSync(mark, "");
  return python;
}
