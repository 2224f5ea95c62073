import { setTimeout as sleep } from "node:timers/promises";

import type { Config } from "../../../platform/config.ts";
import type { Endpoints } from "../endpoints.ts";
import { createCounter, describeCounts } from "./counts.ts";
import { createRandom, createUuid } from "./random.ts";
import { createSender, type Sender } from "./sender.ts";
import { inventVisit, type VisitStep } from "./visit.ts";

const VISITS_PER_SECOND = 0.8;
const COUNTS_EVERY_MS = 5_000;

export interface DemoShopOptions {
  endpoints: Endpoints;
  config: Config;
  reminderMs: number;
  couponMs: number;
  signal: AbortSignal;
}

/** A little shop that plays against `POST /v1/events` until `signal` says otherwise, and counts what comes of it. */
export async function runDemoShop(options: DemoShopOptions): Promise<void> {
  const sender = createSender(options.endpoints, options.signal);
  await Promise.all([receiveVisitors(options, sender), printCounts(options, sender)]);
}

async function receiveVisitors(
  { endpoints, reminderMs, couponMs, signal }: DemoShopOptions,
  sender: Sender,
): Promise<void> {
  // Another day at each start: the same seed again would be the same people with the same event ids.
  const random = createRandom(Date.now());
  while (!signal.aborted) {
    const steps = inventVisit({ random, reminderMs, couponMs });
    void play(steps, endpoints.client_id, createRandom(Math.floor(random() * 2 ** 32)), sender, signal);
    await pause((-Math.log(1 - random()) * 1_000) / VISITS_PER_SECOND, signal);
  }
}

async function play(
  steps: VisitStep[],
  clientId: string,
  random: () => number,
  sender: Sender,
  signal: AbortSignal,
): Promise<void> {
  for (const { afterMs, ...step } of steps) {
    await pause(afterMs, signal);
    if (signal.aborted) return;
    sender.send({ event_id: createUuid(random), timestamp: new Date().toISOString(), client_id: clientId, ...step });
  }
}

async function printCounts({ endpoints, config, signal }: DemoShopOptions, sender: Sender): Promise<void> {
  const counter = createCounter(config, endpoints.client_id);
  while (!signal.aborted) {
    await pause(COUNTS_EVERY_MS, signal);
    if (signal.aborted) break;
    const time = new Date().toTimeString().slice(0, 8);
    // A part that is on its way back is no reason to stop counting.
    const text = await counter.read().then(
      (counts) => describeCounts(sender.accepted, counts),
      () => `${sender.accepted} events accepted`,
    );
    console.log(`${time}  ${text}`);
  }
  await counter.close();
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => {});
}
