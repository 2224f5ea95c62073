import { execFile } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { cacheDir } from "../../infra/local/paths.ts";

const VERSION = "4.32.5";
const run = promisify(execFile);

export interface SchemathesisRun {
  /** The OpenAPI document: a file or a URL. */
  schema: string;
  base: string;
  headers: Record<string, string>;
  /** For each operation. */
  examples: number;
  folder: string;
}

/** Asks a running server what its OpenAPI document promises, and much that it does not. */
export async function runSchemathesis(options: SchemathesisRun): Promise<{ isGood: boolean; output: string }> {
  const { schema, base, headers, examples, folder } = options;
  const program = await (found ??= findSchemathesis());
  mkdirSync(folder, { recursive: true });
  const args = [
    "run",
    schema,
    "--url",
    base,
    "--no-color",
    "--warnings",
    "off",
    "--continue-on-failure",
    // What JSON Schema cannot say (one of these three, not both of those) makes "valid" requests that are rightly refused.
    "--checks",
    "all",
    "--exclude-checks",
    "positive_data_acceptance",
    // The same requests each time: a check that fails now and then is no check.
    "--phases",
    "examples,coverage,fuzzing",
    "--max-examples",
    String(examples),
    "--seed",
    "20261121",
    ...Object.entries(headers).flatMap(([name, value]) => ["--header", `${name}: ${value}`]),
  ];
  try {
    const { stdout } = await run(program, args, { cwd: folder, maxBuffer: 64 * 1024 * 1024 });
    return { isGood: true, output: stdout };
  } catch (error) {
    const { stdout = "", stderr = "", message } = error as Error & { stdout?: string; stderr?: string };
    return { isGood: false, output: stdout || stderr ? `${stdout}\n${stderr}` : message };
  }
}

/** For all of a file, that no two install it at once. */
let found: Promise<string> | undefined;

/** From the cache, or installed into it from PyPI, in a virtual environment of its own. */
async function findSchemathesis(): Promise<string> {
  const folder = join(cacheDir(), `schemathesis-${VERSION}`);
  const program = join(folder, "bin", "schemathesis");
  const mark = join(folder, "complete");
  if (existsSync(mark)) return program;
  rmSync(folder, { recursive: true, force: true });
  await explained(
    "This test needs Python 3.10 or later with venv (Debian: apt-get install python3-venv; macOS: brew install python)",
    () => run("python3", ["-m", "venv", folder]),
  );
  await explained(`schemathesis ${VERSION} could not be installed from PyPI`, () =>
    run(join(folder, "bin", "python"), ["-m", "pip", "install", "--quiet", `schemathesis==${VERSION}`]),
  );
  writeFileSync(mark, "");
  return program;
}

async function explained(what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    const { stderr, message } = cause as Error & { stderr?: string };
    throw new Error(`${what}: ${(stderr || message).trim().split("\n").slice(-5).join("\n")}`, { cause });
  }
}
