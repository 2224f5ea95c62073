import { setTimeout as sleep } from "node:timers/promises";

import { signalProcess } from "../../../infra/local/process.ts";
import type { PartName } from "../../../infra/local/system.ts";
import { waitUntil } from "../../support/wait-until.ts";
import type { Scenario, Scene } from "../scenario.ts";

const PARTS = {
  ingest: "the edge",
  analytics: "the consumers",
  workers: "the worker",
  api: "the API",
  kinesis: "the stream",
  dynamodb: "the user store",
  postgres: "PostgreSQL",
  redis: "Redis",
  temporal: "Temporal",
  outbox: "the provider",
} as const satisfies Partial<Record<PartName, string>>;

/** One blow of each run falls at a moment of chance, while people are about. */
export const killNine: Scenario[] = Object.entries(PARTS).map(([part, words]) => ({
  name: `kill-nine-${part}`,
  fault: `\`kill -9\` of ${words}`,
  invariant: "nothing lost, nothing doubled; the part is back",
  // It may die between a put and its answer.
  allowances: { arePutsRepeated: part === "kinesis" },
  isShort: part === "analytics",
  run: (scene) => kill(scene, part as PartName),
}));

async function kill(scene: Scene, part: PartName): Promise<void> {
  const { stack, random } = scene;
  void scene.letIn(6);
  await sleep(random.between(100, 2_500));
  const pid = stack.pidOf(part);
  const restarts = stack.supervisor.restartsOf(part);
  const killedAtMs = Date.now();
  if (pid !== null) signalProcess(pid, "SIGKILL");
  await waitUntil(() => hasComeBack(scene, part, pid, restarts), { timeoutMs: 60_000, what: `${part} back` });
  scene.recovered(Date.now() - killedAtMs);
}

/** The supervisor says so once the part has answered in its own protocol. */
function hasComeBack({ stack }: Scene, part: PartName, before: number | null, restarts: number): boolean {
  const pid = stack.pidOf(part);
  const isAnother = pid !== null && pid !== before;
  return isAnother && stack.supervisor.restartsOf(part) > restarts && stack.reports.at(-1) === `${part} is back`;
}
