import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { and, eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { SendOutcome, SendRequest } from "../core/contracts/journey.ts";
import { isAppError } from "../core/errors.ts";
import { type Channel, CHANNELS } from "../core/message.ts";
import { setStopHints } from "../platform/stop-hint.ts";
import { activities, campaigns, contacts, deliveries, journeyRuns } from "../platform/postgres/schema.ts";
import { createDeliveryScene, type DeliveryScene } from "../test/support/delivery-scene.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { deliver } from "./deliver.ts";
import { sweepDeliveries } from "./sweep.ts";

let scene: DeliveryScene;
beforeAll(async () => {
  scene = await createDeliveryScene({ patience: { providerMs: 1_000, watermarkMs: 1_500, unknownMs: 20_000 } });
});
afterAll(() => scene.close());

/** As Temporal does it: again, after the pause that the error asks for. */
async function deliverAtLast(request: SendRequest, attempts = 60): Promise<SendOutcome> {
  for (let i = 0; ; i++) {
    try {
      return await deliver(scene.ctx, request);
    } catch (error) {
      if (!isAppError(error, "unavailable") || i >= attempts) throw error;
      await sleep(Math.min(300, error.retryAfterMs ?? 300));
    }
  }
}

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
  const outcomes = await Promise.all(Array.from({ length: 6 }, () => deliverAtLast(request)));
  expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(["submitted"]));
  expect(await scene.outbox({ to: (await scene.ledger(request)).handover!.to })).toHaveLength(1);
  expect(await deliver(scene.ctx, request)).toMatchObject({ outcome: "submitted" });
});

test.for<[Channel, string]>([
  ["sms", "twilio"],
  ["whatsapp", "twilio"],
  ["email", "sendgrid"],
  ["push", "fcm"],
])("%s: taken, and the answer lost: found out, and not sent twice", async ([channel, provider]) => {
  const request = await scene.addRun(channel);
  await scene.setFault({ provider, mode: "accept_then_time_out" });
  expect(await deliverAtLast(request)).toMatchObject({ outcome: "submitted" });
  const row = await scene.ledger(request);
  expect(row.history.map(({ state }) => state)).toContain("unknown");
  expect(await scene.outbox({ to: row.handover!.to })).toHaveLength(1);
});

test.for<[Channel, string]>([
  ["sms", "twilio"],
  ["email", "sendgrid"],
  ["push", "fcm"],
])("%s: dropped before it arrived: sent again once that is certain", async ([channel, provider]) => {
  const request = await scene.addRun(channel);
  await scene.setFault({ provider, mode: "drop" });
  expect(await deliverAtLast(request)).toMatchObject({ outcome: "submitted" });
  const row = await scene.ledger(request);
  expect(row.attempts).toBe(2);
  expect(await scene.outbox({ to: row.handover!.to })).toHaveLength(1);
});

test("a provider that is away: the message waits, and nothing is said to be unknown", async () => {
  const request = await scene.addRun("whatsapp");
  const { twilioUrl, ...rest } = { twilioUrl: "http://127.0.0.1:1", ...scene.ctx };
  const { createProviders } = await import("./providers/index.ts");
  const away = { ...rest, providers: createProviders({ ...rest.config, LIVORA_TWILIO_URL: twilioUrl }, 500) };
  await expect(deliver(away, request)).rejects.toMatchObject({ code: "unavailable" });
  expect(await scene.ledger(request)).toMatchObject({ state: "reserved", attempts: 1, unannounced: [] });
  expect(await deliver(scene.ctx, request)).toMatchObject({ outcome: "submitted" });
  expect((await scene.ledger(request)).history.map(({ state }) => state)).not.toContain("unknown");
});

test("wrong credentials: the message waits for the right ones", async () => {
  const { createProviders } = await import("./providers/index.ts");
  const config = { ...scene.ctx.config, LIVORA_TWILIO_AUTH_TOKEN: "wrong", LIVORA_SENDGRID_API_KEY: "SG.wrong" };
  const wrong = { ...scene.ctx, providers: createProviders(config, 1_000) };
  for (const channel of ["sms", "email"] as const) {
    const request = await scene.addRun(channel);
    await expect(deliver(wrong, request)).rejects.toMatchObject({ code: "unavailable" });
    expect(await deliver(scene.ctx, request)).toMatchObject({ outcome: "submitted" });
  }
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
  await setStopHints(scene.ctx.redis, [hint], Date.now() + aheadMs);
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
      const [{ outcome }, wasReserved] = await Promise.all([deliverAtLast(request), stopping]);
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

test("without Redis nothing goes out, and nothing is lost", async () => {
  const request = await scene.addRun("sms");
  const { Redis } = await import("ioredis");
  const redis = new Redis("redis://127.0.0.1:1", {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  redis.on("error", () => undefined);
  await expect(deliver({ ...scene.ctx, redis }, request)).rejects.toMatchObject({ code: "unavailable" });
  redis.disconnect();
  expect(await deliver(scene.ctx, request)).toMatchObject({ outcome: "submitted" });
});

test("a provider's limit says when to come back", async () => {
  const request = await scene.addRun("email");
  await scene.setFault({ provider: "sendgrid", mode: "rate_limit" });
  const limited = await deliver(scene.ctx, request);
  expect(limited).toMatchObject({ outcome: "limited", reason: "sendgrid:429" });
  expect(Date.parse((limited as { retry_at: string }).retry_at)).toBeGreaterThan(Date.now());
  expect(await deliver(scene.ctx, request)).toMatchObject({ outcome: "submitted" });
});

test("the sweep settles what a dead worker left behind, and announces what is owed", async () => {
  const request = await scene.addRun("sms");
  const stream = { ...scene.ctx.producer, append: () => Promise.reject(new Error("away")) };
  await scene.setFault({ provider: "twilio", mode: "accept_then_time_out" });
  await deliver({ ...scene.ctx, producer: stream }, request).catch(() => undefined);
  expect((await scene.ledger(request)).unannounced).not.toEqual([]);
  await waitUntil(async () => {
    await sweepDeliveries(scene.ctx, { idleMs: 0 });
    const row = await scene.ledger(request);
    return row.state === "submitted" && row.unannounced.length === 0;
  });
  const told = await scene.events(request);
  expect(told.map(({ props }) => props?.state)).toContain("submitted");
});

test("the outbox has all of it after the sandbox was away", async () => {
  const before = await scene.outbox();
  await scene.restartSandbox();
  expect(await scene.outbox()).toEqual(before);
});
