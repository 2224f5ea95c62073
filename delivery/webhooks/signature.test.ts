import { createSign, generateKeyPairSync } from "node:crypto";

import twilio from "twilio";
import { expect, test } from "vitest";

import type { WebhookContext } from "./context.ts";
import { handleSendGridEvents } from "./sendgrid.ts";
import { handleTwilioStatus } from "./twilio.ts";

const TOKEN = "twilio-token";
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
/** Has no ledger: a message that is not ours is no error, and is all that these calls tell of. */
const ctx = {
  config: {
    LIVORA_TWILIO_AUTH_TOKEN: TOKEN,
    LIVORA_SENDGRID_WEBHOOK_KEY: publicKey.export({ type: "spki", format: "der" }).toString("base64"),
  },
  log: { debug() {} },
} as unknown as WebhookContext;
const forbidden = { code: "forbidden" };

const URL = "https://livora.example/webhooks/twilio?delivery_id=nobody";
const PARAMS = { MessageSid: "SM1", MessageStatus: "delivered" };
const SIGNATURE = twilio.getExpectedTwilioSignature(TOKEN, URL, PARAMS);
const status = (changes: Partial<Parameters<typeof handleTwilioStatus>[1]> = {}) =>
  handleTwilioStatus(ctx, { url: URL, params: PARAMS, signature: SIGNATURE, ...changes });

test("what Twilio has signed is taken", async () => {
  await expect(status()).resolves.not.toThrow();
});

test.each([
  ["no signature", { signature: undefined }],
  ["an empty signature", { signature: "" }],
  ["another's signature", { signature: twilio.getExpectedTwilioSignature("another", URL, PARAMS) }],
  ["a field that was changed", { params: { ...PARAMS, MessageStatus: "failed" } }],
  ["a field that was added", { params: { ...PARAMS, ErrorCode: "30005" } }],
  ["a field that was left out", { params: { MessageStatus: "delivered" } }],
  ["another message", { url: URL.replace("nobody", "somebody") }],
])("Twilio's status callback with %s is forbidden", async (_, changes) => {
  await expect(status(changes)).rejects.toMatchObject(forbidden);
});

const BODY = Buffer.from(JSON.stringify([{ event: "delivered", delivery_id: "nobody", sg_message_id: "m.1" }]));
const TIMESTAMP = "1795255200";
const sign = (body: Buffer) => createSign("sha256").update(TIMESTAMP).update(body).sign(privateKey, "base64");
const events = (changes: Partial<Parameters<typeof handleSendGridEvents>[1]> = {}) =>
  handleSendGridEvents(ctx, { rawBody: BODY, signature: sign(BODY), timestamp: TIMESTAMP, ...changes });

test("what SendGrid has signed is taken", async () => {
  await expect(events()).resolves.not.toThrow();
});

test.each([
  ["no signature", { signature: undefined }],
  ["what is no signature", { signature: "not base64 !" }],
  ["a body that was changed", { rawBody: Buffer.from(String(BODY).replace("delivered", "bounce")) }],
  ["the same in other bytes", { rawBody: Buffer.from(`${String(BODY)} `) }],
  ["another time", { timestamp: "1795255201" }],
  ["no time", { timestamp: undefined }],
])("SendGrid's events with %s are forbidden", async (_, changes) => {
  await expect(events(changes)).rejects.toMatchObject(forbidden);
});
