import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { and, eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { SendRequest } from "../core/contracts/journey.ts";
import { campaigns, contacts, deliveries, journeyRuns } from "../platform/postgres/schema.ts";
import { setStopHints } from "../platform/stop-hint.ts";
import { deliverAtLast } from "../test/support/deliver-at-last.ts";
import { createDeliveryScene, type DeliveryScene } from "../test/support/delivery-scene.ts";
import { deliver } from "./deliver.ts";

let scene: DeliveryScene;
beforeAll(async () => {
  scene = await createDeliveryScene({ patience: { providerMs: 1_000, watermarkMs: 1_500, unknownMs: 20_000 } });
});
afterAll(() => scene.close());

test("a paused campaign holds its messages, and a resumed one sends them", async () => {
  const { client_id, campaign_id } = await scene.addCampaign();
  const request = await scene.addRun("sms", { client_id });
  const isIt = and(eq(campaigns.client_id, client_id), eq(campaigns.id, campaign_id));
  await scene.ctx.db.update(campaigns).set({ state: "paused" }).where(isIt);
  expect(await deliver(scene.ctx, request)).toEqual({ outcome: "held", reason: "campaign_paused" });
  await scene.ctx.db.update(campaigns).set({ state: "active" }).where(isIt);
  expect(await deliver(scene.ctx, request)).toMatchObject({ outcome: "submitted" });
});

test("a run that was stopped sends nothing", async () => {
  const request = await scene.addRun("sms");
  await scene.stopRun(request);
  expect(await deliver(scene.ctx, request)).toEqual({ outcome: "stopped", reason: "purchase" });
  await expect(scene.ledger(request)).rejects.toThrow("nothing in the ledger");
});

test("while the pipeline stands still nothing goes out, and what it then brings is heeded", async () => {
  const [waiting, bought] = await Promise.all([scene.addRun("sms"), scene.addRun("sms")]);
  scene.setPipeline(false);
  try {
    await expect(deliver(scene.ctx, waiting)).rejects.toMatchObject({ code: "unavailable" });
    const sending = deliver(scene.ctx, bought);
    await scene.stopRun(bought);
    scene.setPipeline(true);
    expect(await sending).toMatchObject({ outcome: "stopped" });
    expect(await deliver(scene.ctx, waiting)).toMatchObject({ outcome: "submitted" });
  } finally {
    scene.setPipeline(true);
  }
});

test("a log-in that was still under way tells whom to write to", async () => {
  const request = await scene.addRun("sms", { contact: null, person: `anon:${randomUUID()}` });
  scene.setPipeline(false);
  try {
    const sending = deliver(scene.ctx, request);
    await sleep(100);
    const person_key = `user:${randomUUID()}`;
    const contact = { id: randomUUID(), client_id: scene.client_id, person_key, phone: "+919876543210" };
    await scene.ctx.db.insert(contacts).values({ ...contact, traits_at: new Date().toISOString() });
    const isIt = eq(journeyRuns.id, request.run_id);
    await scene.ctx.db
      .update(journeyRuns)
      .set({ person_key, person_keys: [person_key] })
      .where(isIt);
    scene.setPipeline(true);
    expect(await sending).toMatchObject({ outcome: "submitted" });
  } finally {
    scene.setPipeline(true);
  }
});

test("a hint that something has just come in is waited for", async () => {
  const request = await scene.addRun("sms", { person: "user:hinted" });
  const aheadMs = 700;
  const hint = { clientId: scene.client_id, personKey: "user:hinted" };
  await setStopHints(scene.ctx.redis, [hint], aheadMs);
  const beganMs = Date.now();
  expect(await deliver(scene.ctx, request)).toMatchObject({ outcome: "submitted" });
  expect(Date.now() - beganMs).toBeGreaterThanOrEqual(aheadMs - 20);
});

/** Stops the run; whether its message had been reserved by then. Nobody can reserve between the update and the look. */
function stopAndLook(request: SendRequest): Promise<boolean> {
  return scene.ctx.db.transaction(async (tx) => {
    await tx
      .update(journeyRuns)
      .set({ state: "stopped", reason: "purchase" })
      .where(eq(journeyRuns.id, request.run_id));
    const reserved = await tx
      .select({ id: deliveries.id })
      .from(deliveries)
      .where(eq(deliveries.run_id, request.run_id));
    return reserved.length > 0;
  });
}

test("whatever the race, a message goes out exactly if it was reserved when the stop was committed", async () => {
  const seen = { submitted: 0, stopped: 0 };
  // Each wave stops a little earlier if the message won, a little later if the stop did: most meet in the middle.
  let pauseMs = 20;
  for (let wave = 0; wave < 50; wave++) {
    const requests = await Promise.all(Array.from({ length: 6 }, () => scene.addRun("push")));
    const races = requests.map(async (request, i) => {
      const stopping = sleep(pauseMs + i).then(() => stopAndLook(request));
      const [{ outcome }, wasReserved] = await Promise.all([deliverAtLast(scene.ctx, request), stopping]);
      return { outcome, wasReserved };
    });
    for (const { outcome, wasReserved } of await Promise.all(races)) {
      expect(outcome).toBe(wasReserved ? "submitted" : "stopped");
      seen[outcome as keyof typeof seen] += 1;
      pauseMs = Math.max(0, pauseMs + (wasReserved ? -2 : 2));
    }
  }
  // How many of each says something about the machine; none of one would say that nothing was tried.
  expect(Math.min(seen.submitted, seen.stopped)).toBeGreaterThan(5);
});
