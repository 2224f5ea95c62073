import { randomUUID } from "node:crypto";

import { eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type Channel, CHANNELS } from "../core/message.ts";
import { activities, contacts, journeyRuns } from "../platform/postgres/schema.ts";
import { deliverAtLast } from "../test/support/deliver-at-last.ts";
import { createDeliveryScene, type DeliveryScene } from "../test/support/delivery-scene.ts";
import { deliver } from "./deliver.ts";

let scene: DeliveryScene;
beforeAll(async () => {
  scene = await createDeliveryScene({ patience: { providerMs: 1_000, watermarkMs: 1_500, unknownMs: 20_000 } });
});
afterAll(() => scene.close());

test.for(CHANNELS)(
  "a message by %s arrives with its reader, once, and is in ledger, story and stream",
  async (channel) => {
    const request = await scene.addRun(channel, {
      props: { name: "Linen shirt", url: "https://mango.example/cart/1" },
    });
    const outcome = await deliver(scene.ctx, request);
    expect(outcome).toMatchObject({ outcome: "submitted" });
    const row = await scene.ledger(request);
    const [message, ...others] = await scene.outbox({ to: row.handover!.to, channel });
    expect(others).toEqual([]);
    expect(message?.body).toContain("Linen shirt");
    expect(Object.keys(message!).toSorted()).toEqual(["body", "channel", "from", "id", "received_at", "subject", "to"]);
    expect(row).toMatchObject({ state: "submitted", attempts: 1, reason: null, unannounced: [] });
    expect(row.history.map(({ state }) => state)).toEqual(["reserved", "submitting", "submitted"]);
    const story = await scene.ctx.db.select().from(activities).where(eq(activities.person_key, row.person_key));
    expect(story.map(({ type }) => type)).toEqual(["message_submitted"]);
    const events = await scene.events(request);
    expect(events).toMatchObject([
      { event_type: "campaign_delivery", props: { state: "submitted", channel, campaign_id: "camp" } },
    ]);
  },
);

test("asked for by several workers at once, it goes out once", async () => {
  const request = await scene.addRun("sms");
  await scene.setFault({ provider: "twilio", mode: "delay", delay_ms: 300 });
  const outcomes = await Promise.all(Array.from({ length: 6 }, () => deliverAtLast(scene.ctx, request)));
  expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(["submitted"]));
  expect(await scene.outbox({ to: (await scene.ledger(request)).handover!.to })).toHaveLength(1);
  expect(await deliver(scene.ctx, request)).toMatchObject({ outcome: "submitted" });
});

test.for<[Channel, Record<string, string | null>, Record<string, string>]>([
  ["email", { email: null }, { outcome: "skipped", reason: "no_email" }],
  ["email", { email: "not an address" }, { outcome: "skipped", reason: "invalid_email" }],
  ["sms", { phone: "12" }, { outcome: "skipped", reason: "invalid_phone" }],
  ["push", { push_token: null }, { outcome: "skipped", reason: "no_push_token" }],
  ["sms", { phone: "+15005550001" }, { outcome: "failed", reason: "twilio:21211" }],
  ["push", { push_token: "unregistered-1" }, { outcome: "failed", reason: "fcm:UNREGISTERED" }],
])("%s to %o is %o, and says so", async ([channel, contact, expected]) => {
  const request = await scene.addRun(channel, { contact });
  expect(await deliver(scene.ctx, request)).toMatchObject(expected);
  const row = await scene.ledger(request);
  expect(row).toMatchObject({ state: expected.outcome, reason: expected.reason });
  const events = await scene.events(request);
  expect(events).toMatchObject([{ props: { state: expected.outcome, reason: expected.reason } }]);
});

test("a device that has thrown the app away is not written to again", async () => {
  const person = `user:${randomUUID()}`;
  await deliver(scene.ctx, await scene.addRun("push", { person, contact: { push_token: `unregistered-${person}` } }));
  const again = await scene.addRun("push", { person, contact: null });
  expect(await deliver(scene.ctx, again)).toMatchObject({ outcome: "skipped", reason: "no_push_token" });
});

test("nobody to write to is skipped; a second person key finds the contact", async () => {
  const nobody = await scene.addRun("email", { contact: null });
  expect(await deliver(scene.ctx, nobody)).toMatchObject({ outcome: "skipped", reason: "no_contact" });
  const known = await scene.addRun("email", { contact: null, person: `anon:${randomUUID()}` });
  const person_key = `user:${randomUUID()}`;
  const contact = { id: randomUUID(), client_id: scene.client_id, person_key, email: "linked@example.com" };
  await scene.ctx.db.insert(contacts).values({ ...contact, traits_at: new Date().toISOString() });
  await scene.ctx.db
    .update(journeyRuns)
    .set({ person_keys: [`anon:x`, person_key] })
    .where(eq(journeyRuns.id, known.run_id));
  expect(await deliver(scene.ctx, known)).toMatchObject({ outcome: "submitted" });
  expect(await scene.outbox({ to: "linked@example.com" })).toHaveLength(1);
});

test("what a shop sends stays text, whatever it looks like", async () => {
  const props = { name: `<img src=x onerror=alert(1)>{{ contact.email }}{% raw %}`, url: "javascript:alert(1)" };
  const request = await scene.addRun("email", { props });
  await deliver(scene.ctx, request);
  const [message] = await scene.outbox({ to: (await scene.ledger(request)).handover!.to });
  expect(message?.body).toContain("&lt;img src=x onerror=alert(1)&gt;{{ contact.email }}{% raw %}");
  expect(message?.body).not.toContain("javascript:");
});

test("a client's day is full: the next message waits for the next day, and one tried again counts once", async () => {
  const { client_id } = await scene.addCampaign({ messages_per_day: { sms: 2, all: 3 }, timezone: "Asia/Kolkata" });
  const [first, second, third] = await Promise.all([1, 2, 3].map(() => scene.addRun("sms", { client_id })));
  expect(await deliver(scene.ctx, first!)).toMatchObject({ outcome: "submitted" });
  expect(await deliver(scene.ctx, first!)).toMatchObject({ outcome: "submitted" });
  expect(await deliver(scene.ctx, second!)).toMatchObject({ outcome: "submitted" });
  const limited = await deliver(scene.ctx, third!);
  expect(limited).toMatchObject({ outcome: "limited", reason: "quota_sms" });
  expect((limited as { retry_at: string }).retry_at).toMatch(/T18:30:00.000Z$/);
  const skipped = await scene.addRun("email", { client_id, contact: { email: null } });
  expect(await deliver(scene.ctx, skipped)).toMatchObject({ outcome: "skipped" });
  expect(await deliver(scene.ctx, await scene.addRun("email", { client_id }))).toMatchObject({ outcome: "submitted" });
  expect(await deliver(scene.ctx, await scene.addRun("email", { client_id }))).toMatchObject({ reason: "quota_all" });
});
