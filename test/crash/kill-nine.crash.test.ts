import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, expect, it } from "vitest";

import type { PartName } from "../../infra/local/system.ts";
import { type Livora, startLivora } from "../support/livora.ts";
import { cartCampaign, pauseOthers, publishCampaign } from "../support/livora-campaign.ts";
import { createOrdeal, type Ordeal } from "../support/livora-ordeal.ts";
import { announceSeed, createRandom } from "../support/oracle-random.ts";
import { chooseBehaviours } from "../support/oracle-shop.ts";

const STEPS = [
  { channel: "whatsapp", delayMs: 2_500 },
  { channel: "email", delayMs: 4_500 },
] as const;
const PEOPLE_PER_WAVE = 6;
const REST_WITHIN_MS = 60_000;
const CALM = { events: [], messages: [], unfinished: null };

const random = createRandom(announceSeed("kill -9"));
let livora: Livora;
let ordeal: Ordeal;

beforeAll(async () => {
  livora = await startLivora();
  await pauseOthers(livora);
  await publishCampaign(livora, cartCampaign("crash-test", STEPS));
  ordeal = createOrdeal(livora, random, STEPS);
});
afterAll(() => livora?.tearDown());

it("has nothing to find while nothing is killed", async () => {
  await ordeal.visit(chooseBehaviours(random, PEOPLE_PER_WAVE));
  expect(await judge()).toEqual(CALM);
});

it.for<[PartName, string]>([
  ["ingest", "the ingest service"],
  ["analytics", "the consumers"],
  ["workers", "the worker"],
  ["kinesis", "the stream"],
  ["postgres", "the database"],
  ["dynamodb", "the user store"],
  ["redis", "Redis"],
  ["temporal", "Temporal"],
  ["outbox", "the provider"],
])("loses nothing, doubles nothing and sends nothing after a purchase when kill -9 hits %s (%s)", async ([part]) => {
  await torment([part, part, part]);
  expect(await judge()).toEqual(CALM);
});

it("survives blows to part after part before the first has recovered", async () => {
  const parts = Array.from({ length: 8 }, () =>
    random.pick(["ingest", "analytics", "workers", "kinesis", "postgres", "dynamodb"]),
  );
  await torment(parts as PartName[], async () => {});
  expect(await judge()).toEqual(CALM);
});

it("goes on with the same data after kill -9 of everything at once", async () => {
  const visitors = [
    ordeal.visit(chooseBehaviours(random, PEOPLE_PER_WAVE)),
    ordeal.visit(chooseBehaviours(random, PEOPLE_PER_WAVE)),
  ];
  await sleep(random.between(1_000, 4_000));
  await livora.kill9Everything();
  await livora.start();
  await Promise.all(visitors);
  expect(await judge()).toEqual(CALM);
});

/** A new wave of people for each blow, which falls at a moment of chance while they and those before them are about. */
async function torment(blows: readonly PartName[], recover = livora.waitBack): Promise<void> {
  const waves: Promise<unknown>[] = [];
  const moments: string[] = [];
  const beganMs = Date.now();
  for (const part of blows) {
    waves.push(ordeal.visit(chooseBehaviours(random, PEOPLE_PER_WAVE)));
    const afterMs = random.between(200, 2_500);
    await sleep(afterMs);
    const pid = livora.pidOf(part);
    moments.push(livora.kill9(part) ? `${part} after ${afterMs} ms` : `${part} was down`);
    await recover(part, pid);
  }
  const killedMs = Date.now() - beganMs;
  await Promise.all(waves);
  console.log(
    `kill -9: ${moments.join(", ")}; over in ${killedMs} ms, all visitors gone in ${Date.now() - beganMs} ms`,
  );
}

async function judge() {
  const beganMs = Date.now();
  const { events, messages, unfinished } = await ordeal.judge(REST_WITHIN_MS);
  console.log(
    `${ordeal.ledger.entries().length} events, ${ordeal.people.length} people so far; at rest in ${Date.now() - beganMs} ms`,
  );
  return { events, messages: messages.faults, unfinished };
}
