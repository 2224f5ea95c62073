import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

import { eq } from "drizzle-orm";
import twilio from "twilio";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { SendRequest } from "../../core/contracts/journey.ts";
import { isAppError } from "../../core/errors.ts";
import { activities } from "../../platform/postgres/schema.ts";
import { createDeliveryScene, type DeliveryScene } from "../../test/support/delivery-scene.ts";
import { waitUntil } from "../../test/support/wait-until.ts";
import { deliver } from "../deliver.ts";
import { handleSendGridEvents } from "./sendgrid.ts";
import { handleTwilioStatus } from "./twilio.ts";

interface Received {
  path: string;
  body: string;
  headers: Record<string, string>;
}

let scene: DeliveryScene;
let server: Server;
let base: string;
let isApiUp = true;
const received: Received[] = [];

/** As the API mounts them. */
async function take({ path, body, headers }: Received): Promise<number> {
  try {
    if (path.startsWith("/webhooks/twilio")) {
      const params = Object.fromEntries(new URLSearchParams(body));
      const call = { url: base + path, params, signature: headers["x-twilio-signature"] };
      await handleTwilioStatus(scene.ctx, call);
    } else {
      await handleSendGridEvents(scene.ctx, {
        rawBody: Buffer.from(body),
        signature: headers["x-twilio-email-event-webhook-signature"],
        timestamp: headers["x-twilio-email-event-webhook-timestamp"],
      });
    }
    return 204;
  } catch (error) {
    return isAppError(error, "forbidden") ? 403 : 503;
  }
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const call = {
    path: request.url ?? "",
    body: await text(request),
    headers: request.headers as Record<string, string>,
  };
  if (isApiUp) received.push(call);
  response.writeHead(isApiUp ? await take(call) : 503).end();
}

beforeAll(async () => {
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  scene = await createDeliveryScene({ webhookUrl: base });
});
afterAll(async () => {
  await scene.close();
  server.close();
});

const stateOf = async (request: SendRequest) => (await scene.ledger(request)).state;
/** Delivered, and the stream has been told: nothing more is written by itself. */
const isOver = async (request: SendRequest) => {
  const { state, unannounced } = await scene.ledger(request);
  return state === "delivered" && unannounced.length === 0;
};
const storyOf = async (request: SendRequest) => {
  const { person_key } = await scene.ledger(request);
  const story = await scene.ctx.db.select().from(activities).where(eq(activities.person_key, person_key));
  return story.map(({ type }) => type).toSorted();
};
const statesTold = async (request: SendRequest) => (await scene.events(request)).map(({ props }) => props?.state);

async function openAsReader(request: SendRequest, click?: string): Promise<void> {
  const { handover } = await scene.ledger(request);
  const [message] = await scene.outbox({ to: handover!.to });
  const at = `${scene.sandbox.url}/outbox/${encodeURIComponent(message!.id)}`;
  if (click === undefined) await fetch(`${at}/open`, { method: "POST" });
  else await fetch(`${at}/click?url=${encodeURIComponent(click)}`, { redirect: "manual" });
}

test("a text message's delivery comes back, also while nobody took it at first", async () => {
  isApiUp = false;
  const request = await scene.addRun("whatsapp");
  await deliver(scene.ctx, request);
  await scene.restartSandbox();
  isApiUp = true;
  await waitUntil(async () => (await stateOf(request)) === "delivered");
  await openAsReader(request);
  await waitUntil(async () => (await scene.ledger(request)).opened_at !== null);
  await waitUntil(async () => (await scene.ledger(request)).unannounced.length === 0);
  expect(await storyOf(request)).toEqual(["message_delivered", "message_opened", "message_submitted"]);
  expect(new Set(await statesTold(request))).toEqual(new Set(["submitted", "delivered", "opened"]));
});

test("a mail's delivery, opening and click come back", async () => {
  const url = "https://mango.example/cart/1?a=1&b=2";
  const request = await scene.addRun("email", { props: { name: "Füllhalter “Ørsted”", url } });
  await deliver(scene.ctx, request);
  await waitUntil(async () => (await stateOf(request)) === "delivered");
  await openAsReader(request, url);
  await waitUntil(async () => (await scene.ledger(request)).clicked_at !== null);
  await waitUntil(async () => (await scene.ledger(request)).unannounced.length === 0);
  expect(await storyOf(request)).toEqual([
    "message_clicked",
    "message_delivered",
    "message_opened",
    "message_submitted",
  ]);
});

test("what could not be delivered is failed, with the provider's reason", async () => {
  const sms = await scene.addRun("sms", { contact: { phone: "+15005550008" } });
  const mail = await scene.addRun("email", { contact: { email: "bounce@example.com" } });
  await Promise.all([deliver(scene.ctx, sms), deliver(scene.ctx, mail)]);
  await waitUntil(async () => (await stateOf(sms)) === "failed" && (await stateOf(mail)) === "failed");
  expect((await scene.ledger(sms)).reason).toBe("twilio:30005");
  expect((await scene.ledger(mail)).reason).toBe("sendgrid:5.1.1");
});

test("played back, a webhook changes nothing and tells the stream nothing", async () => {
  const request = await scene.addRun("email");
  await deliver(scene.ctx, request);
  await waitUntil(() => isOver(request));
  const before = await scene.ledger(request);
  const told = await statesTold(request);
  const mine = received.filter(({ body, path }) => (body + path).includes(before.id));
  expect(mine.length).toBeGreaterThan(0);
  for (const call of [...mine.toReversed(), ...mine]) expect(await take(call)).toBe(204);
  expect(await scene.ledger(request)).toEqual(before);
  expect(await statesTold(request)).toEqual(told);
});

test("forged, a webhook is refused and changes nothing", async () => {
  const request = await scene.addRun("sms");
  await deliver(scene.ctx, request);
  await waitUntil(() => isOver(request));
  const before = await scene.ledger(request);
  const twilios = received.find(({ path }) => path.includes(before.id))!;
  const sendgrids = received.find(({ path }) => path === "/webhooks/sendgrid")!;
  const forged = [
    { ...twilios, body: twilios.body.replace(/MessageStatus=\w+/, "MessageStatus=failed") },
    { ...twilios, path: twilios.path.replace(before.id, before.run_id) },
    { ...twilios, headers: {} },
    { ...twilios, headers: { "x-twilio-signature": "AAAA" } },
    { ...sendgrids, body: sendgrids.body.replace(/"event":"\w+"/, '"event":"bounce"') },
    { ...sendgrids, headers: { ...sendgrids.headers, "x-twilio-email-event-webhook-timestamp": "1" } },
    { ...sendgrids, headers: { ...sendgrids.headers, "x-twilio-email-event-webhook-signature": "not base64 !" } },
    { ...sendgrids, headers: {} },
  ];
  for (const call of forged) expect(await take(call)).toBe(403);
  expect(await scene.ledger(request)).toEqual(before);
});

test("a webhook that the stream cannot take is asked for again, and is not lost", async () => {
  const request = await scene.addRun("sms");
  await deliver(scene.ctx, request);
  await waitUntil(() => isOver(request));
  const row = await scene.ledger(request);
  const call = received.find(({ path }) => path.includes(row.id))!;
  const producer = { ...scene.ctx.producer, append: () => Promise.reject(new Error("away")) };
  const params = { ...Object.fromEntries(new URLSearchParams(call.body)), MessageStatus: "read" };
  const url = base + call.path;
  const signature = twilio.getExpectedTwilioSignature(scene.ctx.config.LIVORA_TWILIO_AUTH_TOKEN, url, params);
  await expect(handleTwilioStatus({ ...scene.ctx, producer }, { url, params, signature })).rejects.toThrow("away");
  await handleTwilioStatus(scene.ctx, { url, params, signature });
  expect((await statesTold(request)).filter((state) => state === "opened")).toHaveLength(1);
  expect((await scene.ledger(request)).unannounced).toEqual([]);
});
