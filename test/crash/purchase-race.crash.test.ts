import { afterAll, beforeAll, expect, it } from "vitest";

import { type Livora, startLivora } from "../support/livora.ts";
import { cartCampaign, pauseOthers, publishCampaign } from "../support/livora-campaign.ts";
import { createOrdeal } from "../support/livora-ordeal.ts";
import { announceSeed, createRandom } from "../support/oracle-random.ts";
import type { Behaviour } from "../support/oracle-shop.ts";

const STEPS = [
  { channel: "whatsapp", delayMs: 2_000 },
  { channel: "email", delayMs: 60_000 },
] as const;
const RACERS = 40;
const ROUNDS = 2;

let livora: Livora;
beforeAll(async () => {
  livora = await startLivora();
  await pauseOthers(livora);
  await publishCampaign(livora, cartCampaign("race", STEPS));
});
afterAll(() => livora?.tearDown());

it("never sends once the purchase was acknowledged, however close the timer", async () => {
  const random = createRandom(announceSeed("purchase race"));
  const ordeal = createOrdeal(livora, random, STEPS);
  const racers = Array.from({ length: RACERS }, (): Behaviour => "races");
  // First anywhere within a second of the timer, then where it hurts: between the timer and the sending.
  for (const [from, to] of [
    [-1_000, 1_000],
    [0, 250],
  ].slice(0, ROUNDS) as [number, number][]) {
    await ordeal.visit(racers, { pauseMs: [0, 3_000], buyAfterMs: () => STEPS[0].delayMs + random.between(from, to) });
  }
  const { events, messages, unfinished } = await ordeal.judge(30_000);
  const closest = Math.min(...messages.margins);
  console.log(
    `${messages.margins.length} of ${RACERS * ROUNDS} were sent before the purchase; the closest ${closest} ms before its acknowledgement`,
  );
  expect({ events, messages: messages.faults, unfinished }).toEqual({ events: [], messages: [], unfinished: null });
  // Else the race was not one.
  expect(messages.margins.length).toBeGreaterThan(0);
  expect(messages.margins.length).toBeLessThan(RACERS * ROUNDS);
});
