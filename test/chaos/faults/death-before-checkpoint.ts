import { signalProcess } from "../../../infra/local/process.ts";
import { operationOf } from "../../support/fault-proxy/aws-fates.ts";
import { type Exchange, type Fate, pass } from "../../support/fault-proxy/http-proxy.ts";
import { endAndWaitBack } from "../come-back.ts";
import type { Scenario, Scene } from "../scenario.ts";

const BLOWS = 4;

/** Each time a consumer is about to move its checkpoint it is dead before, or right after, the checkpoint is written: its effects stand either way. */
export const deathBeforeCheckpoint: Scenario = {
  name: "death-before-checkpoint",
  fault: "the consumers die between their writes and their checkpoint",
  invariant: "what comes again changes nothing",
  stack: { proxies: ["dynamodb"] },
  isShort: true,
  victims: ["analytics"],
  async run(scene) {
    const { stack, random } = scene;
    const proxy = stack.proxy("dynamodb");
    for (let blow = 0; blow < BLOWS; blow++) {
      void scene.letIn(3);
      await dieAtCheckpoint(scene, random.pick(["enrich", "lake", "automation", "counters"]), blow % 2 === 0);
    }
    proxy.set(() => ["pass", pass]);
    await scene.recover(Date.now());
    scene.note(`${BLOWS} deaths a run, half of them before the checkpoint was written, half after`);
  },
};

async function dieAtCheckpoint({ stack }: Scene, consumer: string, isBefore: boolean): Promise<void> {
  await endAndWaitBack(stack, "analytics", (pid) => {
    let isDone = false;
    const die: Fate = async (exchange) => {
      if (!isBefore) await exchange.forward();
      signalProcess(pid, "SIGKILL");
      exchange.reset();
    };
    stack.proxy("dynamodb").set((exchange) => {
      if (isDone || !movesCheckpoint(exchange, consumer)) return ["pass", pass];
      isDone = true;
      return ["death", die];
    });
  });
}

function movesCheckpoint(exchange: Exchange, consumer: string): boolean {
  if (operationOf(exchange) !== "UpdateItem") return false;
  const { Key, UpdateExpression = "" } = JSON.parse(exchange.body.toString()) as {
    Key?: { PK?: { S?: string } };
    UpdateExpression?: string;
  };
  return UpdateExpression.includes("checkpoint") && (Key?.PK?.S ?? "").includes(`#${consumer}#`);
}
