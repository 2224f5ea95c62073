import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { nodeBinary, ROOT } from "../../infra/local/paths.ts";
import { setApart } from "./machine.ts";
import type { PlayOptions } from "./play.ts";
import { openReport, type Report, type Scenario } from "./scenario.ts";

/** Plays a scenario in a process of its own, apart from the machine's network and mounts where that is possible. */
export async function runApart(scenario: Scenario, options: PlayOptions): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), "livora-chaos-"));
  const file = join(folder, "report.json");
  try {
    const script = join(ROOT, "test/chaos/child.ts");
    const plain = [nodeBinary(), script, scenario.name, JSON.stringify(options), file];
    const { command, env } = await setApart(plain);
    const code = await spawnAndWait(command, env);
    return readReport(file) ?? diedReport(scenario, options, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function spawnAndWait([program = "", ...args]: readonly string[], env: Record<string, string>): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: ROOT,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...env },
    });
    const pass = (signal: NodeJS.Signals) => void child.kill(signal);
    process.on("SIGINT", pass).on("SIGTERM", pass);
    child.once("error", reject);
    child.once("exit", (code) => {
      process.off("SIGINT", pass).off("SIGTERM", pass);
      resolve(code);
    });
  });
}

function readReport(file: string): Report | null {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Report;
  } catch {
    return null;
  }
}

function diedReport(scenario: Scenario, { seed }: PlayOptions, code: number | null): Report {
  const findings = [`the process that played it ended with ${code} and left no report`];
  return { ...openReport(scenario, seed), findings };
}
