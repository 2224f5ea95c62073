import { operationOf } from "../../support/fault-proxy/aws-fates.ts";
import { hangAfter, resetAfter } from "../../support/fault-proxy/fates.ts";
import { type Exchange, pass } from "../../support/fault-proxy/http-proxy.ts";
import type { Scenario, Scene } from "../scenario.ts";
import type { Reachable } from "../stack.ts";

/** Requests that change something; to lose the answer of a question is a lesser fault. */
const WRITES = new Set(["PutRecords", "PutItem", "UpdateItem", "BatchWriteItem", "DeleteItem"]);

export const carriedOutThenTimedOut: Scenario[] = [
  overHttp("kinesis", "the stream", (exchange) => WRITES.has(operationOf(exchange))),
  overHttp("dynamodb", "the user store", (exchange) => WRITES.has(operationOf(exchange))),
  overHttp("outbox", "the providers", ({ method }) => method === "POST"),
  overWire("postgres", "PostgreSQL"),
  overWire("redis", "Redis"),
  overWire("temporal", "Temporal"),
];

/** Of the requests that change something one in twelve is never answered, one in six only by an RST. */
function overHttp(part: Reachable, words: string, changes: (exchange: Exchange) => boolean): Scenario {
  return {
    name: `time-out-after-${part}`,
    fault: `${words}: carried out, then reported as a time-out`,
    invariant: "nothing lost, nothing doubled",
    stack: { proxies: [part] },
    allowances: { arePutsRepeated: part === "kinesis" },
    isShort: part === "outbox",
    async run(scene) {
      const proxy = scene.stack.proxy(part);
      const { random } = scene;
      let isFirst = true;
      proxy.set((exchange) => {
        if (!changes(exchange)) return ["pass", pass];
        // Where there are few, chance might spare them all.
        const chance = isFirst ? 0 : random.next();
        isFirst = false;
        if (chance < 1 / 12) return ["hang", hangAfter];
        return chance < 1 / 4 ? ["reset", resetAfter] : ["pass", pass];
      });
      await scene.letIn(12);
      proxy.set(() => ["pass", pass]);
      await scene.recover(Date.now());
      const [hung = 0, reset = 0] = [proxy.met.get("hang"), proxy.met.get("reset")];
      scene.note(`${hung} never answered, ${reset} reset`);
      scene.check(hung + reset > 0, "no answer was ever lost");
    },
  };
}

/** The request has arrived and is carried out; its answer is swallowed with the connection. */
function overWire(part: Reachable, words: string): Scenario {
  return {
    name: `time-out-after-${part}`,
    fault: `${words}: the connection ends between request and answer`,
    invariant: "nothing lost, nothing doubled",
    stack: { wires: [part] },
    run: (scene) => loseAnswers(scene, part),
  };
}

async function loseAnswers(scene: Scene, part: Reachable): Promise<void> {
  const wire = scene.stack.wire(part);
  const before = wire.met();
  await wire.set({ kind: "lose-answers", chance: 0.08 });
  await scene.letIn(12);
  await wire.set({ kind: "pass" });
  await scene.recover(Date.now());
  scene.note(`${wire.met() - before} answers lost`);
  scene.check(wire.met() > before, "no answer was ever lost");
}
