import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What a fault may need of the machine. */
export type Need = "namespace" | "nft" | "strace" | "libfaketime" | "procfs" | "history";

/** Why this machine cannot do it; null where it can. */
const OBSTACLES: Record<Need, () => Promise<string | null>> = {
  namespace: async () =>
    (await isPrivate()) ? null : "needs a network and mount namespace of its own (root on Linux)",
  procfs: async () =>
    existsSync("/proc/self/status") ? null : "needs /proc to see a process's memory and sockets (Linux)",
  history: async () =>
    (await succeeds("git", ["rev-parse", "HEAD~1"]))
      ? null
      : "needs the versions before this one (a clone with history)",
  nft: async () => {
    if (!(await isPrivate())) return "needs a network namespace of its own (root on Linux)";
    return (await succeeds("nft", ["list", "ruleset"])) ? null : "needs nft (apt install nftables)";
  },
  strace: async () =>
    (await succeeds("strace", ["-e", "inject=fsync:error=EIO", "-o", "/dev/null", "true"]))
      ? null
      : "needs strace with leave to trace (apt install strace)",
  libfaketime: async () => (findFaketime() ? null : "needs libfaketime (apt install libfaketime)"),
};

/** The first obstacle among the needs; null where there is none. */
export async function findObstacle(needs: readonly Need[]): Promise<string | null> {
  for (const need of needs) {
    const obstacle = await OBSTACLES[need]();
    if (obstacle !== null) return obstacle;
  }
  return null;
}

/** Set by `main.ts` where it could start the scenario apart from the rest of the machine. */
const APART = "LIVORA_CHAOS_APART";

/** A command in a network and a mount namespace of its own where the machine allows it, else as it stands. */
export async function setApart(
  command: readonly string[],
): Promise<{ command: string[]; env: Record<string, string> }> {
  const isPossible = process.getuid?.() === 0 && (await succeeds("unshare", ["--net", "--mount", "true"]));
  if (!isPossible) return { command: [...command], env: {} };
  return { command: ["unshare", "--net", "--mount", "--propagation", "private", ...command], env: { [APART]: "1" } };
}

/** In a network namespace of its own even loopback begins switched off. */
export async function switchLoopbackOn(): Promise<void> {
  if (await isPrivate()) await run("ip", ["link", "set", "lo", "up"]);
}

async function isPrivate(): Promise<boolean> {
  return process.env[APART] === "1";
}

export function findFaketime(): string | null {
  const folders = existsSync("/usr/lib")
    ? readdirSync("/usr/lib").map((name) => join("/usr/lib", name, "faketime"))
    : [];
  return folders.map((folder) => join(folder, "libfaketimeMT.so.1")).find((file) => existsSync(file)) ?? null;
}

async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  return run(program, [...args], { timeout: 10_000 }).then(
    () => true,
    () => false,
  );
}
