import { setTimeout as sleep } from "node:timers/promises";

import { Client, Connection, type WorkflowExecutionDescription, type WorkflowHandle } from "@temporalio/client";
import { WorkflowNotFoundError } from "@temporalio/common";

import { signalProcess } from "../../../infra/local/process.ts";
import { withPostgres } from "../../support/oracle-evidence.ts";
import { waitUntil } from "../../support/wait-until.ts";
import { endAndWaitBack } from "../come-back.ts";
import type { Scenario, Scene } from "../scenario.ts";

/** The cart journey's history, two messages and their timers, has about as many events. */
const LAST_BOUNDARY = 32;
const STEP = 3;

/** A cart is left for each boundary; the worker is killed as soon as that journey's history has come so far. */
export const commandBoundaries: Scenario = {
  name: "command-boundaries",
  fault: "the worker is killed as a cart journey's history reaches each length",
  invariant: "nothing lost, nothing doubled",
  victims: ["workers"],
  async run(scene) {
    const connection = await Connection.connect({ address: scene.stack.endpoints.temporal_address });
    const client = new Client({ connection });
    const reached: number[] = [];
    try {
      const step = scene.isLong ? 1 : STEP;
      for (let length = 1 + scene.random.between(0, step - 1); length <= LAST_BOUNDARY; length += step) {
        const at = await killAt(scene, client, length);
        if (at !== null) reached.push(at);
      }
    } finally {
      await connection.close();
    }
    await scene.recover(Date.now());
    scene.note(`killed at history lengths ${reached.join(", ")}`);
    scene.check(reached.length > 0, "no journey was ever seen");
  },
};

/** The length at which it was killed; null where the journey was over before. */
async function killAt(scene: Scene, client: Client, length: number): Promise<number | null> {
  const known = new Set(await readWorkflows(scene));
  void scene.ordeal.visit(["abandons"], { pauseMs: [0, 50] });
  let found: string | undefined;
  await waitUntil(async () => {
    found = (await readWorkflows(scene)).find((id) => !known.has(id));
    return found !== undefined;
  });
  const handle = client.workflow.getHandle(found ?? "");
  let at = 0;
  for (;;) {
    const description = await describeOnceStarted(handle);
    at = description.historyLength;
    if (at >= length) break;
    if (description.status.name !== "RUNNING") return null;
    await sleep(10);
  }
  await endAndWaitBack(scene.stack, "workers", (pid) => signalProcess(pid, "SIGKILL"));
  return at;
}

/** Its run is a row before Temporal has heard of it. */
async function describeOnceStarted(handle: WorkflowHandle): Promise<WorkflowExecutionDescription> {
  const giveUpAtMs = performance.now() + 20_000;
  for (;;) {
    try {
      return await handle.describe();
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError) || performance.now() > giveUpAtMs) throw error;
      await sleep(10);
    }
  }
}

function readWorkflows({ stack }: Scene): Promise<string[]> {
  return withPostgres(stack.postgres, async (sql) =>
    (await sql<{ workflow_id: string }[]>`select workflow_id from journey_runs`).map((row) => row.workflow_id),
  );
}
