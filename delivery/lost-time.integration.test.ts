import { eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { SendRequest } from "../core/contracts/journey.ts";
import type { Channel } from "../core/message.ts";
import { HOUR_MS } from "../core/time.ts";
import { deliveries, journeyRuns } from "../platform/postgres/schema.ts";
import { createDeliveryScene, type DeliveryScene } from "../test/support/delivery-scene.ts";
import type { DeliveryContext } from "./context.ts";
import { deliver } from "./deliver.ts";

let scene: DeliveryScene;
beforeAll(async () => {
  scene = await createDeliveryScene();
});
afterAll(() => scene.close());

/** As after a restore whose backup was made an hour ago. */
function afterRestore(untilMs = Date.now()): DeliveryContext {
  const LIVORA_LOST_SINCE = new Date(untilMs - HOUR_MS).toISOString();
  const LIVORA_LOST_UNTIL = new Date(untilMs).toISOString();
  return { ...scene.ctx, config: { ...scene.ctx.config, LIVORA_LOST_SINCE, LIVORA_LOST_UNTIL } };
}

async function sendThenForget(channel: Channel): Promise<{ request: SendRequest; to: string; id: string }> {
  const request = await scene.addRun(channel);
  await deliver(scene.ctx, request);
  const { handover, provider_message_id } = await scene.ledger(request);
  await scene.ctx.db.delete(deliveries).where(eq(deliveries.run_id, request.run_id));
  return { request, to: handover!.to, id: provider_message_id! };
}

test.for<Channel>(["sms", "whatsapp", "email"])(
  "%s: sent in the time that a restore lost: found at the provider, and not sent again",
  async (channel) => {
    const { request, to, id } = await sendThenForget(channel);
    expect(await deliver(afterRestore(), request)).toMatchObject({ outcome: "submitted" });
    expect(await scene.ledger(request)).toMatchObject({ state: "submitted", provider_message_id: id });
    expect(await scene.outbox({ to })).toHaveLength(1);
  },
);

test("what is announced once more bears the same id, and is known by the same time", async () => {
  const { request } = await sendThenForget("sms");
  await deliver(afterRestore(), request);
  const [first, again, ...others] = await scene.readEvents(request);
  expect(others).toEqual([]);
  expect(again?.event.event_id).toBe(first?.event.event_id);
  expect(again?.event.timestamp).not.toBe(first?.event.timestamp);
  const [run] = await scene.ctx.db.select().from(journeyRuns).where(eq(journeyRuns.id, request.run_id));
  const enteredAt = new Date(run!.entered_at).toISOString();
  expect([first, again].map((one) => one?.header.seen_under)).toEqual([enteredAt, enteredAt]);
});

test("not sent in that time: it goes out", async () => {
  const request = await scene.addRun("sms");
  expect(await deliver(afterRestore(), request)).toMatchObject({ outcome: "submitted" });
  expect(await scene.outbox({ to: (await scene.ledger(request)).handover!.to })).toHaveLength(1);
});

test("what the ledger knows under another delivery is not taken for this one", async () => {
  const earlier = await scene.addRun("sms");
  await deliver(scene.ctx, earlier);
  const { person_key, handover } = await scene.ledger(earlier);
  const request = await scene.addRun("sms", { contact: null, person: person_key });
  expect(await deliver(afterRestore(), request)).toMatchObject({ outcome: "submitted" });
  expect(await scene.outbox({ to: handover!.to })).toHaveLength(2);
});

test("sent after the restore: it says nothing about the time before", async () => {
  const { request, to } = await sendThenForget("sms");
  const [message] = await scene.outbox({ to });
  const before = Date.parse(message!.received_at) - 10_000;
  await scene.ctx.db
    .update(journeyRuns)
    .set({ entered_at: new Date(before - 1_000).toISOString() })
    .where(eq(journeyRuns.id, request.run_id));
  await deliver(afterRestore(before), request);
  expect(await scene.outbox({ to })).toHaveLength(2);
});

test("a run that was entered after the restore is not asked about", async () => {
  const request = await scene.addRun("email");
  const ctx = afterRestore(Date.now() - 10_000);
  const email = { ...ctx.providers.email, find: () => Promise.reject(new Error("asked")) };
  const asking = { ...ctx, providers: { ...ctx.providers, email } };
  expect(await deliver(asking, request)).toMatchObject({ outcome: "submitted" });
});

test("a provider that cannot tell: the message is held as unknown and not sent", async () => {
  const { request, to } = await sendThenForget("email");
  const ctx = afterRestore();
  const email = { ...ctx.providers.email, find: () => Promise.resolve(null) };
  const outcome = await deliver({ ...ctx, providers: { ...ctx.providers, email } }, request);
  expect(outcome).toMatchObject({ outcome: "unknown", reason: "sent_before_restore" });
  expect(await scene.outbox({ to })).toHaveLength(1);
});

test("a provider that does not answer: the message waits, and nothing stands in the ledger", async () => {
  const { request, to } = await sendThenForget("email");
  const ctx = afterRestore();
  const email = { ...ctx.providers.email, find: () => Promise.reject(new Error("away")) };
  const away = { ...ctx, providers: { ...ctx.providers, email } };
  await expect(deliver(away, request)).rejects.toMatchObject({ code: "unavailable" });
  await expect(scene.ledger(request)).rejects.toThrow("nothing in the ledger");
  expect(await deliver(ctx, request)).toMatchObject({ outcome: "submitted" });
  expect(await scene.outbox({ to })).toHaveLength(1);
});
