import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, expect, it } from "vitest";

import type { PartName } from "../../infra/local/system.ts";
import { type Livora, startLivora } from "../support/livora.ts";
import { cartCampaign, pauseOthers, publishCampaign } from "../support/livora-campaign.ts";
import { createOrdeal, type Ordeal } from "../support/livora-ordeal.ts";
import { withPostgres } from "../support/oracle-evidence.ts";
import { announceSeed, createRandom } from "../support/oracle-random.ts";
import { chooseBehaviours } from "../support/oracle-shop.ts";
import { waitUntil } from "../support/wait-until.ts";

const STEPS = [
  { channel: "whatsapp", delayMs: 1_500 },
  { channel: "email", delayMs: 3_000 },
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

/** Each is killed three times; one verdict for three of them, as it takes the messages' delays to come to rest. */
it.for<[string, PartName[]]>([
  ["the ingest service, the consumers, the worker", ["ingest", "analytics", "workers"]],
  ["the stream, the database, the user store", ["kinesis", "postgres", "dynamodb"]],
  ["Redis, Temporal, the provider", ["redis", "temporal", "outbox"]],
])("loses nothing, doubles nothing and sends nothing after a purchase when kill -9 hits %s", async ([, parts]) => {
  await torment(parts.flatMap((part) => [part, part, part]));
  expect(await judge()).toEqual(CALM);
});

it("ends what it has in hand when the worker is told to stop under load, and leaves the rest to the next", async () => {
  await fetch(`${livora.outbox}/_sandbox/faults`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ provider: "twilio", mode: "delay", times: 1_000, delay_ms: 500 }),
  });
  const visitors = ordeal.visit(chooseBehaviours(random, 4 * PEOPLE_PER_WAVE));
  let inHand: string[] = [];
  const hasSome = async () => (inHand = await listInHand()).length > 0;
  await waitUntil(hasSome, { timeoutMs: 60_000, what: "a message in hand" });
  const pid = livora.pidOf("workers");
  livora.tellToStop("workers");
  const hasEnded = () => livora.printed().includes("workers ended unexpectedly (code 0)");
  await waitUntil(hasEnded, { timeoutMs: 30_000, what: "the worker ends by itself, and in time" });
  const left = await listInHand();
  expect(left.filter((id) => inHand.includes(id))).toEqual([]);
  await livora.waitBack("workers", pid);
  await visitors;
  await fetch(`${livora.outbox}/_sandbox/faults`, { method: "DELETE" });
  expect(await judge()).toEqual(CALM);
});

/** Deliveries that were handed to a provider whose answer is not yet known. */
async function listInHand(): Promise<string[]> {
  const rows = await withPostgres(
    livora.postgres,
    (sql) => sql<{ id: string }[]>`select id from deliveries where state in ('submitting', 'unknown')`,
  );
  return rows.map(({ id }) => id);
}

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
