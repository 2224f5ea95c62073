import { createInterface } from "node:readline";

/**
 * Is told, line by line, whom its parent brings to a standstill, and wakes them all, the last one first, when the pipe
 * ends: because the parent is done, or because it is dead. So nothing can stand still for longer than whoever stopped it lives.
 */
const stopped: number[] = [];
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
// Whoever listened may be dead.
process.stdout.on("error", () => {});
for await (const line of createInterface({ input: process.stdin })) {
  stopped.push(Number(line));
  console.log(line);
}
for (const pid of stopped.toReversed()) {
  try {
    process.kill(pid, "SIGCONT");
  } catch {
    // Gone meanwhile.
  }
}
