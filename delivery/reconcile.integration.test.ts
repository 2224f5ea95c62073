import { eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";

import { HOUR_MS } from "../core/time.ts";
import { deliveries } from "../platform/postgres/schema.ts";
import { createDeliveryScene, type DeliveryScene } from "../test/support/delivery-scene.ts";
import { deliver } from "./deliver.ts";
import type { Provider } from "./providers/provider.ts";

let scene: DeliveryScene;
beforeAll(async () => {
  scene = await createDeliveryScene();
});
afterAll(() => scene.close());

/** Takes every message, never says so, and answers as told when it is asked about one. */
function createSilentProvider(find: Provider["find"]) {
  const sent: string[] = [];
  const provider: Provider = {
    ...scene.ctx.providers.sms,
    async send({ delivery_id }) {
      sent.push(delivery_id);
      return { kind: "lost", reason: "twilio:ETIMEDOUT" };
    },
    find,
  };
  return { sent, ctx: { ...scene.ctx, providers: { ...scene.ctx.providers, sms: provider } } };
}

test.each<[string, Provider["find"]]>([
  ["does not know", async () => null],
  ["does not say", () => Promise.reject(new Error("connection refused"))],
])("where the provider %s what became of a message, it stays unknown and is not sent again", async (_, find) => {
  const { sent, ctx } = createSilentProvider(find);
  const request = await scene.addRun("sms");
  await expect(deliver(ctx, request)).rejects.toMatchObject({ code: "unavailable" });
  const row = await scene.ledger(request);
  const handover = { ...row.handover!, at: new Date(Date.now() - HOUR_MS).toISOString() };
  await scene.ctx.db.update(deliveries).set({ handover }).where(eq(deliveries.id, row.id));
  for (let attempt = 0; attempt < 2; attempt++) {
    const outcome = await deliver(ctx, request).catch((error: unknown) => error);
    expect(sent).toEqual([row.id]);
    expect(outcome).toMatchObject({ outcome: "unknown", delivery_id: row.id });
  }
  expect(await scene.ledger(request)).toMatchObject({ state: "unknown", attempts: 1 });
});
