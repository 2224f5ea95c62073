import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, expect, test } from "vitest";

import { createDeliveryScene, type DeliveryScene } from "../test/support/delivery-scene.ts";
import { deliver } from "./deliver.ts";

let scene: DeliveryScene;
beforeAll(async () => {
  scene = await createDeliveryScene();
});
afterAll(() => scene.close());

test("another client's contact of the same user id is nobody to write to", async () => {
  const person = `user:${randomUUID()}`;
  const other = await scene.addCampaign();
  const theirs = await scene.addRun("sms", { client_id: other.client_id, person });
  const ours = await scene.addRun("sms", { person, contact: null });
  expect(await deliver(scene.ctx, ours)).toMatchObject({ outcome: "skipped", reason: "no_contact" });
  expect(await deliver(scene.ctx, theirs)).toMatchObject({ outcome: "submitted" });
});
