import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { ROOT } from "./paths.ts";

interface Check {
  name: string;
  command: readonly string[];
}

const ROOMS = "core platform ingest analytics crm delivery activities workflows workers api infra test bench".split(
  " ",
);

function listChecks(): Check[] {
  const rooms = ROOMS.filter((room) => existsSync(join(ROOT, room)));
  return [
    { name: "format", command: ["oxfmt", "--check"] },
    { name: "lint", command: ["oxlint", "--deny-warnings"] },
    { name: "types", command: typeCheck("tsconfig.json") },
    { name: "types of workflows", command: typeCheck("workflows/tsconfig.json") },
    { name: "unused code", command: ["knip"] },
    { name: "boundaries", command: ["depcruise", "--config", ".dependency-cruiser.cjs", ...rooms] },
  ];
}

/** What it has found out is kept, so that the next time takes a fraction. */
function typeCheck(project: string): string[] {
  const memory = `node_modules/.cache/livora/${project.replaceAll("/", "-")}.tsbuildinfo`;
  return ["tsc", "-p", project, "--incremental", "--tsBuildInfoFile", memory];
}

/** Everything that can be said about the source without running it, side by side. Prints what fails; answers its names. */
export async function runChecks(): Promise<string[]> {
  const results = await Promise.all(listChecks().map(runCheck));
  return results.filter((name) => name !== null);
}

async function runCheck({ name, command }: Check): Promise<string | null> {
  const started = performance.now();
  const { code, output } = await capture(command);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    code === 0 ? `✓ ${name} (${seconds} s)` : `✗ ${name} (${command.join(" ")}, ${seconds} s)\n${output.trimEnd()}`,
  );
  return code === 0 ? null : name;
}

function capture([program = "", ...args]: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(ROOT, "node_modules/.bin", program), args, {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
}
