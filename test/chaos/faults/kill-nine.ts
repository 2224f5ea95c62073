import { setTimeout as sleep } from "node:timers/promises";

import { signalProcess } from "../../../infra/local/process.ts";
import type { PartName } from "../../../infra/local/system.ts";
import { endAndWaitBack } from "../come-back.ts";
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
  victims: [part as PartName],
  run: (scene) => kill(scene, part as PartName),
}));

async function kill(scene: Scene, part: PartName): Promise<void> {
  const { stack, random } = scene;
  void scene.letIn(6);
  await sleep(random.between(100, 2_500));
  scene.recovered(await endAndWaitBack(stack, part, (pid) => signalProcess(pid, "SIGKILL")));
}
