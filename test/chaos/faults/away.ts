import { setTimeout as sleep } from "node:timers/promises";

import type { BackingPart } from "../../../infra/local/backing.ts";
import type { Scenario, Scene } from "../scenario.ts";

const SHORT_MS = 20_000;
const LONG_MS = 30 * 60_000;

/** Nobody listens for a while; people come and go meanwhile. */
export const away: Scenario[] = [
  isAway("temporal", "Temporal", "starts wait, none lost, none doubled"),
  isAway("redis", "Redis", "events are taken all the same; caps fail closed: no message without a count"),
  isAway("outbox", "the providers", "messages wait, none lost, none doubled"),
];

function isAway(part: BackingPart | "outbox", words: string, invariant: string): Scenario {
  return {
    name: `away-${part}`,
    fault: `${words} is away for 20 s (\`--long\`: 30 minutes)`.replace("providers is", "providers are"),
    invariant,
    stack: { wires: [part] },
    run: (scene) => leaveAlone(scene, part),
  };
}

async function leaveAlone(scene: Scene, part: BackingPart | "outbox"): Promise<void> {
  const { stack, ordeal, isLong } = scene;
  const wire = stack.wire(part);
  void scene.letIn(4);
  await sleep(1_000);
  await wire.set({ kind: "refuse" });
  const before = ordeal.ledger.entries().length;
  for (const untilMs = Date.now() + (isLong ? LONG_MS : SHORT_MS); Date.now() < untilMs;) {
    // Those who buy only once they have seen a message would wait for one until the end.
    await Promise.race([scene.letIn(4, { waitForMessage: async () => false }), sleep(5_000)]);
    await sleep(isLong ? 30_000 : 3_000);
  }
  const meanwhile = ordeal.ledger.entries().slice(before);
  const taken = meanwhile.filter((entry) => entry.acknowledgedAt !== null).length;
  scene.check(taken > 0, `none of ${meanwhile.length} events was taken while it was away`);
  await wire.set({ kind: "pass" });
  await scene.recover(Date.now());
  scene.note(`${taken} events taken meanwhile`);
}
