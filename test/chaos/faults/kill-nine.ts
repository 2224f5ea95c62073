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

/** So many in each run of the long form: a run's set-up and its judgement are most of its time. */
const BLOWS = 25;
const WITHIN_MS = 5_000;

/** Blows fall at moments of chance, while people are about. */
export const killNine: Scenario[] = Object.entries(PARTS).map(([part, words]) => {
  const tookMs: number[] = [];
  return {
    name: `kill-nine-${part}`,
    fault: `\`kill -9\` of ${words}`,
    invariant: "nothing lost, nothing doubled; the part is back",
    // It may die between a put and its answer.
    allowances: { arePutsRepeated: part === "kinesis" },
    victims: [part as PartName],
    async run(scene) {
      for (let blow = 0; blow < (scene.isLong ? BLOWS : 1); blow++) tookMs.push(await kill(scene, part as PartName));
      const [soon, median] = [tookMs.filter((ms) => ms <= WITHIN_MS), tookMs.toSorted((a, b) => a - b)];
      scene.note(
        `${soon.length} of ${tookMs.length} blows were over within 5 s, half of them within ${median[tookMs.length >> 1]} ms`,
      );
    },
  };
});

async function kill(scene: Scene, part: PartName): Promise<number> {
  const { stack, random } = scene;
  void scene.letIn(6);
  await sleep(random.between(100, 2_500));
  const tookMs = await endAndWaitBack(stack, part, (pid) => signalProcess(pid, "SIGKILL"));
  scene.recovered(tookMs);
  return tookMs;
}
