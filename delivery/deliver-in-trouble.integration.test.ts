import { afterAll, beforeAll, expect, test } from "vitest";

import type { Channel } from "../core/message.ts";
import { deliverAtLast } from "../test/support/deliver-at-last.ts";
import { createDeliveryScene, type DeliveryScene } from "../test/support/delivery-scene.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { deliver } from "./deliver.ts";
import { sweepDeliveries } from "./sweep.ts";

let scene: DeliveryScene;
beforeAll(async () => {
  scene = await createDeliveryScene({ patience: { providerMs: 1_000, watermarkMs: 1_500, unknownMs: 20_000 } });
});
afterAll(() => scene.close());

test.for<[Channel, string]>([
  ["sms", "twilio"],
  ["whatsapp", "twilio"],
  ["email", "sendgrid"],
  ["push", "fcm"],
])("%s: taken, and the answer lost: found out, and not sent twice", async ([channel, provider]) => {
  const request = await scene.addRun(channel);
  await scene.setFault({ provider, mode: "accept_then_time_out" });
  expect(await deliverAtLast(scene.ctx, request)).toMatchObject({ outcome: "submitted" });
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
  expect(await deliverAtLast(scene.ctx, request)).toMatchObject({ outcome: "submitted" });
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
