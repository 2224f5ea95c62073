import { afterAll, beforeAll, expect, it } from "vitest";

import { type Livora, startLivora } from "../support/livora.ts";
import { cartCampaign, pauseOthers, publishCampaign } from "../support/livora-campaign.ts";
import { createOrdeal, type Ordeal } from "../support/livora-ordeal.ts";
import { readOutbox } from "../support/oracle-evidence.ts";
import { announceSeed, createRandom } from "../support/oracle-random.ts";
import type { Behaviour } from "../support/oracle-shop.ts";

const STEP = { channel: "whatsapp", delayMs: 2_000 };
const PROBES = 10;
const RACERS = 30;
const ROUNDS = 3;
/** How far from the moment of sending purchases fall: first anywhere near, then where it hurts. */
const WIDTHS_MS = [1_000, 300, 100];

let livora: Livora;
beforeAll(async () => {
  livora = await startLivora();
  await pauseOthers(livora);
  await publishCampaign(livora, cartCampaign("race", [STEP]));
});
afterAll(() => livora?.tearDown());

it("never sends once the purchase was acknowledged, however close the timer", async () => {
  const random = createRandom(announceSeed("purchase race"));
  const ordeal = createOrdeal(livora, random, [STEP]);
  const pauseMs = [0, 6_000] as const;
  await ordeal.visit(crowd("abandons", PROBES), { pauseMs });
  await ordeal.judge(30_000);
  const lagMs = await measureLag(ordeal);
  for (const widthMs of WIDTHS_MS.slice(0, ROUNDS)) {
    const buyAfterMs = () => STEP.delayMs + lagMs + random.between(-widthMs, widthMs);
    await ordeal.visit(crowd("races", RACERS), { pauseMs, buyAfterMs });
  }
  const { events, messages, unfinished } = await ordeal.judge(30_000);
  const closest = messages.margins.toSorted((a, b) => a - b).slice(0, 5);
  console.log(
    `sent ${lagMs} ms after the timer; ${messages.margins.length} of ${RACERS * ROUNDS} before the purchase, ` +
      `the closest ${closest.join(", ")} ms before its acknowledgement`,
  );
  expect({ events, messages: messages.faults, unfinished }).toEqual({ events: [], messages: [], unfinished: null });
  // Else the race was not one.
  expect(messages.margins.length).toBeGreaterThan(0);
  expect(messages.margins.length).toBeLessThan(RACERS * ROUNDS);
});

function crowd(behaviour: Behaviour, count: number): Behaviour[] {
  return Array.from({ length: count }, () => behaviour);
}

/** How long after its timer a message arrives here and now, when nobody buys: the median. */
async function measureLag({ people }: Ordeal): Promise<number> {
  const arrived = new Map(
    (await readOutbox(livora.outbox)).map((message) => [message.to, Date.parse(message.received_at)]),
  );
  const lags = people.flatMap(({ record }) => {
    const at = arrived.get(record.addresses["whatsapp"] ?? "");
    return at === undefined || record.cartAt === null ? [] : [at - record.cartAt - STEP.delayMs];
  });
  return lags.toSorted((a, b) => a - b)[lags.length >> 1] ?? 0;
}
