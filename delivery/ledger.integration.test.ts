import { and, eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";

import { deliveryId } from "../core/delivery.ts";
import { campaigns, journeyRuns } from "../platform/postgres/schema.ts";
import { createDeliveryScene, type DeliveryScene } from "../test/support/delivery-scene.ts";
import { findDelivery, type Reservation, reserveDelivery } from "./ledger.ts";

let scene: DeliveryScene;
beforeAll(async () => {
  scene = await createDeliveryScene();
});
afterAll(() => scene.close());

/** A reservation by a worker that has looked at its run before, and found that it may send. */
async function prepare(): Promise<Reservation> {
  const { client_id } = await scene.addCampaign();
  const request = await scene.addRun("sms", { client_id });
  const [run] = await scene.ctx.db.select().from(journeyRuns).where(eq(journeyRuns.id, request.run_id));
  const handover = { to: "+919876543210", from: "+15005550006", content_sha256: "", at: new Date().toISOString() };
  const id = deliveryId(request.run_id, request.node_id);
  return { request, deliveryId: id, run: run!, contactId: null, provider: "twilio", handover };
}

test.each(["stopped", "held", "completed", "failed"] as const)(
  "of a run that is %s by now nothing is to be had",
  async (state) => {
    const reservation = await prepare();
    await scene.ctx.db.update(journeyRuns).set({ state }).where(eq(journeyRuns.id, reservation.run.id));
    expect(await reserveDelivery(scene.ctx, reservation)).toBeNull();
    expect(await findDelivery(scene.ctx, reservation.deliveryId)).toBeNull();
  },
);

test("of a campaign that is paused by now nothing is to be had", async () => {
  const reservation = await prepare();
  const { client_id, campaign_id } = reservation.run;
  const isIt = and(eq(campaigns.client_id, client_id), eq(campaigns.id, campaign_id));
  await scene.ctx.db.update(campaigns).set({ state: "paused" }).where(isIt);
  expect(await reserveDelivery(scene.ctx, reservation)).toBeNull();
});

test("a message is to be had once, however many ask for it", async () => {
  const reservation = await prepare();
  const rows = await Promise.all(Array.from({ length: 5 }, () => reserveDelivery(scene.ctx, reservation)));
  expect(rows.filter((row) => row !== null)).toMatchObject([{ state: "submitting", attempts: 1 }]);
  expect(await reserveDelivery(scene.ctx, reservation)).toBeNull();
});
