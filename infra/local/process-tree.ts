import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

interface Entry {
  pid: number;
  parent: number;
}

/** Processes and all that descend from them, parents first. Who does not run is left out. */
export function listTrees(pids: readonly number[]): number[] {
  const entries = process.platform === "linux" ? listByProc() : listByPs();
  const children = Map.groupBy(entries, (entry) => entry.parent);
  const below = (parent: number): number[] => (children.get(parent) ?? []).flatMap(({ pid }) => [pid, ...below(pid)]);
  const running = new Set(entries.map(({ pid }) => pid));
  return [...new Set(pids.flatMap((pid) => (running.has(pid) ? [pid, ...below(pid)] : [])))];
}

/** Whether none of its threads runs any more: stopped by a signal, or gone. */
export function isStandingStill(pid: number): boolean {
  try {
    if (process.platform !== "linux") return "TZ".includes(stateByPs(pid));
    return readdirSync(`/proc/${pid}/task`).every((thread) => {
      const [state = ""] = fieldsOf(`/proc/${pid}/task/${thread}/stat`) ?? [];
      return "TtZX".includes(state);
    });
  } catch {
    return true;
  }
}

function listByProc(): Entry[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const fields = fieldsOf(`/proc/${name}/stat`);
      return fields ? [{ pid: Number(name), parent: Number(fields[1]) }] : [];
    });
}

/** From the third on: the second is the program's name in brackets and may itself hold blanks and brackets. */
function fieldsOf(file: string): string[] | null {
  try {
    const stat = readFileSync(file, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

function listByPs(): Entry[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  return lines.map((line) => {
    const [pid = 0, parent = 0] = line.trim().split(/\s+/).map(Number);
    return { pid, parent };
  });
}

function stateByPs(pid: number): string {
  return execFileSync("ps", ["-o", "state=", "-p", String(pid)], { encoding: "utf8" })
    .trim()
    .charAt(0);
}
