import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * What tells a process from a later one that was given the same number: its start time (and boot, where the system says
 * so). Null where no such process runs.
 */
export function identifyProcess(pid: number): string | null {
  return process.platform === "linux" ? identifyByProc(pid) : identifyByPs(pid);
}

export function isRunning(pid: number, identity: string): boolean {
  return identifyProcess(pid) === identity;
}

/** The command line of a process, for messages and for checking whose it is; empty where it cannot be had. */
export function commandLineOf(pid: number): string {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return execFileSync("ps", ["-ww", "-o", "command=", "-p", String(pid)], { encoding: "utf8" }).trim();
  } catch {
    return "";
  }
}

function identifyByProc(pid: number): string | null {
  try {
    // The second field is the program's name in brackets and may itself hold blanks and brackets.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z") return null;
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}/${fields[19]}`;
  } catch {
    return null;
  }
}

function identifyByPs(pid: number): string | null {
  try {
    const [state = "", ...started] = execFileSync("ps", ["-o", "state=,lstart=", "-p", String(pid)], {
      encoding: "utf8",
    })
      .trim()
      .split(/\s+/);
    return state.startsWith("Z") ? null : started.join(" ");
  } catch {
    return null;
  }
}
