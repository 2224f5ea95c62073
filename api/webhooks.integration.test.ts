import { createSign, generateKeyPairSync } from "node:crypto";

import { eq } from "drizzle-orm";
import twilio from "twilio";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { deliveryId } from "../core/delivery.ts";
import { contacts, deliveries, journeyRuns } from "../platform/postgres/schema.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";
import { SEED_CAMPAIGN } from "../test/support/seed-campaign.ts";

const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const sendgridKey = publicKey.export({ type: "spki", format: "der" }).toString("base64");
const run_id = crypto.randomUUID();
const [whatsapp, email] = [deliveryId(run_id, "message-1"), deliveryId(run_id, "message-2")];

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi({ LIVORA_SENDGRID_WEBHOOK_KEY: sendgridKey });
  await t.call("POST", "/api/v1/campaigns", { body: SEED_CAMPAIGN });
  await seedDeliveries();
});
afterAll(() => t.close());

describe("Twilio's status callback", () => {
  const form = { MessageSid: "SM1", MessageStatus: "delivered" };
  const path = `/webhooks/twilio?delivery_id=${whatsapp}`;
  const signatureOf = (fields: Record<string, string>) =>
    twilio.getExpectedTwilioSignature(
      t.api.config.LIVORA_TWILIO_AUTH_TOKEN,
      t.api.config.LIVORA_PUBLIC_API_URL + path,
      fields,
    );

  test.each(["", "nonsense", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="])(
    "a signature that is not its own: %s",
    async (signature) => {
      expect((await postForm(path, form, signature)).status).toBe(403);
      expect(await stateOf(whatsapp)).toBe("submitted");
    },
  );

  test("a field that was changed on the way", async () => {
    const signature = signatureOf(form);
    expect((await postForm(path, { ...form, MessageStatus: "failed" }, signature)).status).toBe(403);
  });

  test("told twice, it is one delivery and one activity of the contact", async () => {
    for (const _ of [1, 2]) expect((await postForm(path, form, signatureOf(form))).status).toBe(204);
    expect(await stateOf(whatsapp)).toBe("delivered");
    const { body } = await t.call("GET", "/api/v1/contacts/buyer/activities");
    const reported = body.activities.filter(({ metadata }: { metadata: object }) =>
      JSON.stringify(metadata).includes(whatsapp),
    );
    expect(reported).toHaveLength(1);
  });

  test("another media type is no callback", async () => {
    const response = await fetch(t.base + path, {
      method: "POST",
      body: "{}",
      headers: { "content-type": "text/plain" },
    });
    expect(response.status).toBe(415);
  });
});

describe("SendGrid's event webhook", () => {
  const events = [
    { event: "delivered", timestamp: 1_795_000_000, delivery_id: email, sg_message_id: "SG1" },
    { event: "open", timestamp: 1_795_000_100, delivery_id: email, sg_message_id: "SG1" },
  ];

  test("unsigned, it is refused", async () => {
    expect((await postEvents(events, "AAAA")).status).toBe(403);
    expect(await stateOf(email)).toBe("submitted");
  });

  test("signed, all of the batch is kept", async () => {
    expect((await postEvents(events)).status).toBe(204);
    const { body } = await t.call("GET", `/api/v1/campaigns/camp_123/deliveries?channel=email`);
    expect(body.deliveries).toMatchObject([{ id: email, state: "delivered", opened_at: "2026-11-18T11:08:20.000Z" }]);
  });
});

function postForm(path: string, fields: Record<string, string>, signature: string): Promise<Response> {
  const body = new URLSearchParams(fields).toString();
  const headers = { "content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature };
  return fetch(t.base + path, { method: "POST", body, headers });
}

function postEvents(batch: object[], signature?: string): Promise<Response> {
  const [body, timestamp] = [JSON.stringify(batch), "1795000200"];
  const own = createSign("sha256").update(timestamp).update(body).sign(privateKey, "base64");
  const headers = {
    "content-type": "application/json",
    "x-twilio-email-event-webhook-signature": signature ?? own,
    "x-twilio-email-event-webhook-timestamp": timestamp,
  };
  return fetch(`${t.base}/webhooks/sendgrid`, { method: "POST", body, headers });
}

async function stateOf(id: string): Promise<string | undefined> {
  const [row] = await t.api.db.select().from(deliveries).where(eq(deliveries.id, id));
  return row?.state;
}

async function seedDeliveries(): Promise<void> {
  const person = { client_id: t.ours.client_id, person_key: "user:buyer" };
  const contact_id = crypto.randomUUID();
  const at = new Date().toISOString();
  await t.api.db.insert(contacts).values({ ...person, id: contact_id, user_id: "buyer", traits_at: at });
  const common = { ...person, campaign_id: "camp_123", version: 1, request_id: "r" };
  await t.api.db.insert(journeyRuns).values({
    ...common,
    id: run_id,
    workflow_id: `w-${run_id}`,
    person_keys: ["user:buyer"],
    entry_event_id: crypto.randomUUID(),
    state: "completed",
    entered_at: at,
  });
  const sent = { ...common, run_id, contact_id, state: "submitted" as const, attempts: 1 };
  await t.api.db.insert(deliveries).values([
    { ...sent, id: whatsapp, node_id: "message-1", channel: "whatsapp" as const, template: "reminder" },
    { ...sent, id: email, node_id: "message-2", channel: "email" as const, template: "coupon" },
  ]);
}
