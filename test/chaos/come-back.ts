import type { PartName } from "../../infra/local/system.ts";
import { waitUntil } from "../support/wait-until.ts";
import type { ChaosStack } from "./stack.ts";

/** Ends a part by whatever `end` does to it and waits until its supervisor has it back, answering in its own protocol. Answers how long that took, ms. */
export async function endAndWaitBack(
  { supervisor, reports }: ChaosStack,
  part: PartName,
  end: (pid: number) => unknown,
): Promise<number> {
  const pid = supervisor.pidOf(part);
  const told = reports.length;
  const beganMs = Date.now();
  if (pid !== undefined) await end(pid);
  await waitUntil(() => reports.slice(told).includes(`${part} is back`), { timeoutMs: 90_000, what: `${part} back` });
  return Date.now() - beganMs;
}
