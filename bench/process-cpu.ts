import { existsSync, readFileSync } from "node:fs";

/** Linux counts in hundredths of a second, whatever the kernel's own tick. */
const TICK_MICROS = 10_000;

/** User and system time that a process has used so far; null where the system does not tell. */
export function cpuMicrosOf(pid: number): number | null {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return null;
  // The second field is the command in brackets and may hold anything.
  const fields = readFileSync(file, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MICROS;
}
