import { randomUUID } from "node:crypto";

import { eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { MessageList } from "../../core/listed-message.ts";
import type { Channel } from "../../core/message.ts";
import { HOUR_MS } from "../../core/time.ts";
import { deliver } from "../../delivery/deliver.ts";
import { createMessageLists } from "../../delivery/message-lists.ts";
import type { OutgoingMessage } from "../../delivery/providers/provider.ts";
import { campaignVersions, deliveries, journeyRuns } from "../../platform/postgres/schema.ts";
import { createDeliveryScene, type DeliveryScene } from "../../test/support/delivery-scene.ts";
import { auditRuns } from "./audit-runs.ts";
import { compareProviders } from "./compare-providers.ts";

let scene: DeliveryScene;
beforeAll(async () => {
  scene = await createDeliveryScene();
});
afterAll(() => scene.close());

const CHANNELS: Channel[] = ["email", "sms", "whatsapp", "push"];

/** The last two hours, since a test may run past the end of one. */
function hours(): number[] {
  const thisHour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  return [thisHour - HOUR_MS, thisHour];
}

type Asked = { everybody?: boolean; more?: MessageList[]; lostTime?: { since: string; until: string } };

async function compare({ everybody = false, more = [], lostTime }: Asked = {}) {
  const clientId = everybody ? undefined : scene.client_id;
  const messageLists = [...createMessageLists(scene.ctx.config), ...more];
  // No lag: the sandbox has none, and tells times to the second at the worst.
  const found = await Promise.all(
    hours().map((hourMs) => compareProviders({ ctx: scene.ctx, messageLists, lostTime }, { hourMs, clientId }, -2_000)),
  );
  return {
    differences: found.flatMap((one) => one.differences).map(({ kind, delivery_id }) => ({ kind, delivery_id })),
    texts: found.flatMap((one) => one.differences).map((one) => one.last_seen),
    notes: found.flatMap((one) => one.notes),
  };
}

async function send(channel: Channel) {
  const request = await scene.addRun(channel);
  await deliver(scene.ctx, request);
  return scene.ledger(request);
}

/** Past the ledger. */
async function sendBehind(channel: Channel, message: Pick<OutgoingMessage, "to" | "from" | "body">): Promise<void> {
  const others = { subject: "Hello", from_name: null, content: null, link: null };
  const ids = { delivery_id: randomUUID(), client_id: scene.client_id };
  const answer = await scene.ctx.providers[channel].send({ ...message, ...others, ...ids });
  expect(answer.kind).toBe("accepted");
}

test("every message that went out is at its provider, and in the ledger", async () => {
  for (const channel of CHANNELS) await send(channel);
  expect(await compare()).toEqual({ differences: [], texts: [], notes: [] });
});

test.for<Channel>(["email", "sms", "whatsapp"])("%s: sent once more than the ledger knows", async (channel) => {
  const row = await send(channel);
  const [message] = await scene.outbox({ to: row.handover!.to, channel });
  await sendBehind(channel, { to: message!.to, from: message!.from, body: message!.body });
  const { differences, texts } = await compare();
  expect(differences).toEqual([{ kind: "sent_twice", delivery_id: row.id }]);
  expect(texts[0]).toContain(`the ledger knows it as ${row.provider_message_id}`);
  // Else the next test finds it, too.
  await scene.ctx.db.delete(deliveries).where(eq(deliveries.id, row.id));
});

test("at the provider and not in the ledger; in the ledger and not at the provider", async () => {
  const before = await compare({ everybody: true });
  const row = await send("sms");
  await sendBehind("sms", { to: "+919812345678", from: row.handover!.from, body: "who wrote this?" });
  const after = await compare({ everybody: true });
  const news = after.texts.filter((text) => !before.texts.includes(text) && text.startsWith("twilio, as"));
  expect(news).toEqual([expect.stringContaining("nothing in the ledger is like it")]);
  const gone = "SM00000000000000000000000000000000";
  await scene.ctx.db.update(deliveries).set({ provider_message_id: gone }).where(eq(deliveries.id, row.id));
  const { differences } = await compare();
  expect(differences).toEqual(
    expect.arrayContaining([
      { kind: "absent_at_provider", delivery_id: row.id },
      { kind: "sent_twice", delivery_id: row.id },
    ]),
  );
  expect(differences).toHaveLength(2);
  await scene.ctx.db.delete(deliveries).where(eq(deliveries.id, row.id));
});

test("a message whose answer was lost is explained by it, and a second copy is not", async () => {
  const row = await send("sms");
  const unknown = { state: "unknown", reason: "twilio:ECONNRESET", provider_message_id: null } as const;
  await scene.ctx.db.update(deliveries).set(unknown).where(eq(deliveries.id, row.id));
  expect((await compare()).differences).toEqual([]);
  const [message] = await scene.outbox({ to: row.handover!.to });
  await sendBehind("sms", { to: message!.to, from: message!.from, body: message!.body });
  expect((await compare()).differences).toEqual([{ kind: "unknown_to_ledger", delivery_id: row.id }]);
  await scene.ctx.db.delete(deliveries).where(eq(deliveries.id, row.id));
});

test("what a ledger sent that a restore has replaced is not known, and no difference: unless this one has sent it again", async () => {
  const row = await send("sms");
  const [message] = await scene.outbox({ to: row.handover!.to });
  await sendBehind("sms", { to: "+919812345670", from: row.handover!.from, body: "sent by the ledger that is gone" });
  const backedUpAt = new Date(Date.now() - 60_000).toISOString();
  const lostTime = { since: backedUpAt, until: new Date(Date.now() + 5_000).toISOString() };
  const lost = await compare({ everybody: true, lostTime });
  expect(lost.texts.join()).not.toContain("nothing in the ledger is like it");
  expect(lost.notes.join()).toMatch(/restored: \d+ messages at twilio are from the time after the backup/);
  // The run is played again by the restored ledger, which hands its message over once more.
  const later = new Date(Date.now() + 10_000).toISOString();
  await scene.ctx.db
    .update(deliveries)
    .set({ created_at: later, provider_message_id: "SM00000000000000000000000000000001" })
    .where(eq(deliveries.id, row.id));
  await sendBehind("sms", { to: message!.to, from: message!.from, body: message!.body });
  const { differences } = await compare({ lostTime });
  expect(differences).toContainEqual({ kind: "sent_twice", delivery_id: row.id });
  await scene.ctx.db.delete(deliveries).where(eq(deliveries.id, row.id));
});

test("senders that are not ours, and a provider that does not answer, are no difference", async () => {
  await sendBehind("sms", { to: "+919812345678", from: "+15550001111", body: "somebody else's" });
  const isAway = { list: () => Promise.reject(new Error("away")), has: () => Promise.reject(new Error("away")) };
  const { differences, notes } = await compare({ more: [{ provider: "fcm", ...isAway }] });
  expect(differences).toEqual([]);
  expect(notes).toContain("1 messages at twilio are from senders that are not Livora's");
  expect(notes).toContain("fcm could not be asked for its list: away");
});

test("the list is read to its end, page by page", async () => {
  const before = (await scene.outbox({ channel: "sms" })).length;
  const body = "many";
  for (let at = 0; at < 1_100; at += 50)
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        sendBehind("sms", { to: `+9198000${String(at + i).padStart(5, "0")}`, from: "+15005550006", body }),
      ),
    );
  const [twilio] = createMessageLists(scene.ctx.config);
  const listed = await twilio!.list(Date.now() - HOUR_MS, Date.now() + 2_000, 5_000);
  expect(new Set(listed.map((message) => message.message_id)).size).toBeGreaterThanOrEqual(before + 1_100);
  expect(await twilio!.has(listed.at(-1)!.message_id)).toBe(true);
});

const message = (next: string) => ({ type: "message", channel: "sms", template: "reminder", next });

test("a run that has ended without a message that its journey called for, or without a reason", async () => {
  const nodes = { m1: message("m2"), m2: message("end"), end: { type: "exit", reason: "completed" } };
  const journey = { start: "m1", nodes };
  const request = await scene.addRun("sms");
  const { client_id, campaign_id } = request;
  await scene.ctx.db
    .insert(campaignVersions)
    .values({ client_id, campaign_id, version: 1, hash: "h", source: {}, journey })
    .onConflictDoNothing();
  await deliver(scene.ctx, request);
  await deliver(scene.ctx, { ...request, node_id: "m2" });
  const ended_at = new Date().toISOString();
  const end = (set: Partial<typeof journeyRuns.$inferInsert>, run_id = request.run_id) =>
    scene.ctx.db
      .update(journeyRuns)
      .set({ ended_at, ...set })
      .where(eq(journeyRuns.id, run_id));
  const audit = async () => {
    const found = await Promise.all(hours().map((hourMs) => auditRuns(scene.ctx, { hourMs, clientId: client_id })));
    return found.flat().map(({ kind, delivery_id }) => ({ kind, delivery_id }));
  };
  await end({ state: "completed", reason: "completed" });
  expect(await audit()).toEqual([]);
  const rows = await scene.ctx.db.select().from(deliveries).where(eq(deliveries.run_id, request.run_id));
  const second = rows.find((row) => row.node_id === "m2");
  await scene.ctx.db.delete(deliveries).where(eq(deliveries.id, second!.id));
  expect(await audit()).toEqual([{ kind: "message_missing", delivery_id: second!.id }]);
  // Whoever was stopped need not have had it, if there is a reason.
  await end({ state: "stopped", reason: "purchase" });
  expect(await audit()).toEqual([]);
  await end({ state: "stopped", reason: null });
  expect(await audit()).toEqual([{ kind: "run_without_reason", delivery_id: null }]);
});
