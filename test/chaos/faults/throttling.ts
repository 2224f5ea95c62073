import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import type { ServiceName } from "../../../infra/local/services.ts";
import { throttle } from "../../support/fault-proxy/aws-fates.ts";
import { pass } from "../../support/fault-proxy/http-proxy.ts";
import { inventEvent } from "../invent-event.ts";
import type { Scenario, Scene } from "../scenario.ts";

/** How much of what is asked of the stream and the user store is refused, and for how long each. */
const STEPS = [0, 0.5, 0.9, 1, 0.9, 0.5, 0];
const STEP_MS = 3_000;
/** Beyond what a process has anyway: a heap that merely breathes is no leak. */
const BREATH_MB = 64;

export const throttling: Scenario = {
  name: "throttling",
  fault: "stream and user store throttle 0 to 100 % of all requests and back",
  invariant: "202, 429 or 503 and nothing else; memory at most doubled",
  needs: ["procfs"],
  stack: { proxies: ["kinesis", "dynamodb"] },
  async run(scene) {
    const { stack, random } = scene;
    const services = ["ingest", "analytics"] as const;
    const before = services.map((name) => memoryMb(scene, name));
    const peak = [...before];
    const answers = new Map<string, number>();
    const over = new AbortController();
    const asking = ask(scene, answers, over.signal);
    for (const refused of STEPS) {
      for (const name of ["kinesis", "dynamodb"] as const) {
        stack.proxy(name).set(() => (random.chance(refused) ? ["throttle", throttle] : ["pass", pass]));
      }
      void scene.letIn(3);
      for (let at = 0; at < STEP_MS; at += 250) {
        await sleep(250);
        for (const [i, name] of services.entries()) peak[i] = Math.max(peak[i] ?? 0, memoryMb(scene, name));
      }
    }
    over.abort();
    await asking;
    await scene.recover(Date.now());
    judgeMemory(scene, services, before, peak);
    scene.note(`answers ${[...answers].map(([status, count]) => `${status}: ${count}`).join(", ")}`);
    scene.check(
      [...answers.keys()].every((status) => ["202", "429", "503"].includes(status)),
      `answers other than 202, 429 and 503: ${[...answers.keys()].join(", ")}`,
    );
  },
};

function judgeMemory(scene: Scene, services: readonly ServiceName[], before: number[], peak: number[]): void {
  for (const [i, name] of services.entries()) {
    const [was = 0, became = 0] = [before[i], peak[i]];
    scene.note(`${name} ${Math.round(was)} → ${Math.round(became)} MB`);
    scene.check(became <= 2 * was + BREATH_MB, `${name} grew from ${was} to ${became} MB`);
  }
}

/** One small request after the other, of which the status is of interest; the oracle knows them all the same. */
async function ask({ stack, ordeal, random }: Scene, answers: Map<string, number>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const event = inventEvent({ stack, random });
    ordeal.ledger.offer([event], Date.now());
    const status = await post(stack.endpoints, event.text);
    ordeal.ledger.answer([event.event_id], status === "202" ? "ok" : "unknown", Date.now());
    answers.set(status, (answers.get(status) ?? 0) + 1);
    await sleep(20);
  }
}

async function post(endpoints: { ingest: string; api_key: string; client_id: string }, event: string): Promise<string> {
  const headers = {
    authorization: `Bearer ${endpoints.api_key}`,
    "x-client-id": endpoints.client_id,
    "content-type": "application/json",
  };
  try {
    const response = await fetch(`${endpoints.ingest}/v1/events`, {
      method: "POST",
      headers,
      body: `[${event}]`,
      signal: AbortSignal.timeout(20_000),
    });
    await response.text();
    const mayRetry = response.status !== 429 && response.status !== 503;
    return mayRetry || response.headers.has("retry-after")
      ? String(response.status)
      : `${response.status} without Retry-After`;
  } catch (error) {
    return (error as Error).name;
  }
}

function memoryMb({ stack }: Scene, name: ServiceName): number {
  const status = readFileSync(`/proc/${stack.pidOf(name)}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}
