import { randomUUID } from "node:crypto";

import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";

import { hourOf } from "../../core/audit.ts";
import { HOUR_MS } from "../../core/time.ts";
import { deliver } from "../../delivery/deliver.ts";
import { activities, deliveries } from "../../platform/postgres/schema.ts";
import { createDeliveryScene, type DeliveryScene } from "../../test/support/delivery-scene.ts";
import { auditDeliveries } from "./audit-deliveries.ts";

let scene: DeliveryScene;
beforeAll(async () => {
  scene = await createDeliveryScene();
});
afterAll(() => scene.close());

/** Two hours, since the tests may run past the end of one. */
async function audit() {
  const hours = [0, 1].map((ago) => hourOf(Date.now()) - ago * HOUR_MS);
  const found = await Promise.all(
    hours.map((hourMs) => auditDeliveries(scene.ctx, { hourMs, clientId: scene.client_id })),
  );
  return {
    count: found.flatMap((one) => one.counts).reduce((sum, one) => sum + one.deliveries, 0),
    differences: found.flatMap((one) => one.differences).map(({ kind, delivery_id }) => ({ kind, delivery_id })),
    stale: found.flatMap((one) => one.stale),
  };
}

async function send(options: Parameters<DeliveryScene["addRun"]>[1] = {}) {
  const request = await scene.addRun("email", options);
  await deliver(scene.ctx, request);
  return scene.ledger(request);
}

test("messages that went out, and one that did not for a reason, are well; what is changed behind the ledger's back is found", async () => {
  const [first, second, skipped] = [await send(), await send(), await send({ contact: null })];
  expect(skipped.state).toBe("skipped");
  expect(await audit()).toEqual({ count: 3, differences: [], stale: [] });
  const { db } = scene.ctx;

  // An effect that stands there twice.
  const [activity] = await db
    .select()
    .from(activities)
    .where(sql`metadata ->> 'delivery_id' = ${first.id}`);
  const twice = { ...activity!, id: randomUUID() };
  await db.insert(activities).values(twice);
  expect((await audit()).differences).toEqual([{ kind: "effect_twice", delivery_id: first.id }]);
  await db.delete(activities).where(eq(activities.id, twice.id));
  await db.delete(activities).where(eq(activities.id, activity!.id));
  expect((await audit()).differences).toEqual([{ kind: "effect_missing", delivery_id: first.id }]);
  await db.insert(activities).values(activity!);

  // A second row for the same message: under its run and node the database refuses it, under others its id betrays it.
  await expect(db.insert(deliveries).values({ ...first, id: randomUUID() })).rejects.toMatchObject({
    cause: { code: "23505" },
  });
  const forged = { ...first, id: randomUUID(), node_id: "m2", history: first.history };
  await db.insert(deliveries).values(forged);
  expect((await audit()).differences.map((one) => one.kind).toSorted()).toEqual(
    ["effect_missing", "foreign", "message_id_twice", "message_id_twice"].toSorted(),
  );
  await db.delete(deliveries).where(eq(deliveries.id, forged.id));

  // A state out of nothing, and one without its reason.
  await db.update(deliveries).set({ state: "delivered" }).where(eq(deliveries.id, second.id));
  await db.update(deliveries).set({ reason: null }).where(eq(deliveries.id, skipped.id));
  expect((await audit()).differences).toEqual([
    { kind: "no_reason", delivery_id: skipped.id },
    { kind: "state_differs", delivery_id: second.id },
  ]);
  await db.update(deliveries).set({ state: second.state }).where(eq(deliveries.id, second.id));
  await db.update(deliveries).set({ reason: skipped.reason }).where(eq(deliveries.id, skipped.id));

  // Long without a word: for people to see, and no difference.
  const old = { state: "submitted", updated_at: new Date(Date.now() - 2 * HOUR_MS).toISOString() } as const;
  await db.update(deliveries).set(old).where(eq(deliveries.id, second.id));
  expect(await audit()).toMatchObject({ differences: [], stale: [{ delivery_id: second.id, state: "submitted" }] });
});
