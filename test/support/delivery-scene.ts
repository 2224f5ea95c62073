import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";

import { eq } from "drizzle-orm";
import { Registry } from "prom-client";

import type { SendRequest } from "../../core/contracts/journey.ts";
import type { Channel } from "../../core/message.ts";
import { createDeliveryContext, type DeliveryPatience } from "../../delivery/context.ts";
import { startSandbox } from "../../delivery/providers/sandbox/server.ts";
import {
  campaigns,
  type ClientSettings,
  clients,
  contacts,
  deliveries,
  journeyRuns,
} from "../../platform/postgres/schema.ts";
import { createStreamProducer } from "../../platform/stream/producer.ts";
import { watermarkKey } from "../../platform/watermark.ts";
import { decodeEnvelope } from "../../core/envelope.ts";
import type { Event } from "../../core/event.ts";
import { createIsolatedContext } from "./context.ts";
import { readStream } from "./stream-reader.ts";

export interface OutboxMessage {
  id: string;
  channel: Channel;
  to: string;
  from: string;
  subject: string | null;
  body: string;
  received_at: string;
}

export interface RunOptions {
  contact?: Partial<typeof contacts.$inferInsert> | null;
  props?: Record<string, unknown>;
  person?: string;
  campaign_id?: string;
}

export type DeliveryScene = Awaited<ReturnType<typeof createDeliveryScene>>;

/**
 * A client, the sandbox and everything that a delivery needs, but for the stream's consumers: the scene itself keeps the
 * watermark, and `setPipeline(false)` lets it stand still.
 */
export async function createDeliveryScene(options: { patience?: Partial<DeliveryPatience>; webhookUrl?: string } = {}) {
  const shared = await createIsolatedContext();
  const { config } = shared;
  mkdirSync(config.LIVORA_SANDBOX_DIR, { recursive: true });
  const start = (port: number) =>
    startSandbox({
      host: "127.0.0.1",
      port,
      dir: config.LIVORA_SANDBOX_DIR,
      twilio: { accountSid: config.LIVORA_TWILIO_ACCOUNT_SID, authToken: config.LIVORA_TWILIO_AUTH_TOKEN },
      sendgrid: {
        apiKey: config.LIVORA_SENDGRID_API_KEY,
        webhookUrl: `${options.webhookUrl ?? "http://127.0.0.1:9"}/webhooks/sendgrid`,
      },
      fcmProject: config.LIVORA_FCM_PROJECT,
      log: shared.log,
    });
  let sandbox = await start(0);
  const { url, port } = sandbox;
  const producer = createStreamProducer({ kinesis: shared.kinesis, stream: config.LIVORA_STREAM_EVENTS });
  const urls = { LIVORA_TWILIO_URL: url, LIVORA_SENDGRID_URL: url, LIVORA_FCM_URL: url };
  const publicUrl = { LIVORA_PUBLIC_API_URL: options.webhookUrl ?? "http://127.0.0.1:9" };
  const ctx = createDeliveryContext(
    { ...shared, config: { ...config, ...urls, ...publicUrl } },
    { producer, registry: new Registry(), ...(options.patience && { patience: options.patience }) },
  );
  const client_id = `client-${randomUUID().slice(0, 8)}`;
  const campaign_id = "camp";
  let isUp = true;
  const tick = setInterval(() => {
    if (isUp) void ctx.redis.hset(watermarkKey("automation"), "shard", Date.now()).catch(() => undefined);
  }, 10);

  async function addCampaign(settings: ClientSettings = {}, client = `client-${randomUUID().slice(0, 8)}`) {
    await ctx.db.insert(clients).values({ id: client, name: "Mango Lane", settings });
    const campaign = {
      id: campaign_id,
      client_id: client,
      name: "Carts",
      state: "active",
      draft: {},
      current_version: 1,
    } as const;
    await ctx.db.insert(campaigns).values(campaign);
    return { client_id: client, campaign_id };
  }
  async function addRun(channel: Channel, run: RunOptions & { client_id?: string } = {}): Promise<SendRequest> {
    const { client_id: client = client_id, person = `user:${randomUUID()}`, contact = {}, props = {} } = run;
    const run_id = randomUUID();
    const now = new Date().toISOString();
    if (contact) {
      await ctx.db.insert(contacts).values({
        id: randomUUID(),
        client_id: client,
        person_key: person,
        name: "Ada Lovelace",
        email: `ada-${run_id.slice(0, 8)}@example.com`,
        phone: `+9198${String(Number.parseInt(run_id.slice(0, 7), 16))
          .padStart(8, "0")
          .slice(-8)}`,
        push_token: `token-${run_id}`,
        traits_at: now,
        ...contact,
      });
    }
    await ctx.db.insert(journeyRuns).values({
      id: run_id,
      client_id: client,
      campaign_id,
      version: 1,
      workflow_id: `j:${run_id}`,
      person_key: person,
      person_keys: [person],
      entry_event_id: randomUUID(),
      entry_event_type: "add_to_cart",
      entry_props: props,
      request_id: `req-${run_id}`,
      entered_at: now,
    });
    const request_id = `req-${run_id}`;
    return {
      client_id: client,
      campaign_id,
      version: 1,
      run_id,
      node_id: "m1",
      channel,
      template: "reminder",
      decided_at: now,
      request_id,
    };
  }
  await addCampaign({}, client_id);
  async function readEvents({ run_id }: SendRequest) {
    const records = await readStream(ctx.kinesis, config.LIVORA_STREAM_EVENTS);
    const all = records.flatMap(({ parts }) => parts.map(({ data }) => decodeEnvelope(data)));
    return all
      .flatMap(({ header, events }) => events.map((raw) => ({ header, event: JSON.parse(raw.toString()) as Event })))
      .filter(({ event }) => event.props?.run_id === run_id);
  }

  return {
    ctx,
    get sandbox() {
      return sandbox;
    },
    client_id,
    addCampaign,
    addRun,
    setPipeline: (up: boolean) => void (isUp = up),
    async setFault(fault: { provider: string; mode: string; times?: number; delay_ms?: number }) {
      const headers = { "content-type": "application/json" };
      const response = await fetch(`${url}/_sandbox/faults`, { method: "POST", headers, body: JSON.stringify(fault) });
      if (response.status !== 201) throw new Error(await response.text());
    },
    async outbox(query: Record<string, string> = {}) {
      const response = await fetch(`${url}/messages?${new URLSearchParams(query).toString()}`);
      return (await response.json()) as OutboxMessage[];
    },
    async ledger(request: SendRequest) {
      const [row] = await ctx.db.select().from(deliveries).where(eq(deliveries.run_id, request.run_id));
      if (!row) throw new Error("nothing in the ledger");
      return row;
    },
    /** What lies in the stream "events" of this message, in order. */
    async events(request: SendRequest) {
      return (await readEvents(request)).map(({ event }) => event);
    },
    readEvents,
    async stopRun({ run_id }: SendRequest) {
      const stopped = { state: "stopped", reason: "purchase" } as const;
      await ctx.db.update(journeyRuns).set(stopped).where(eq(journeyRuns.id, run_id));
    },
    async restartSandbox() {
      await sandbox.close();
      sandbox = await start(port);
    },
    async close() {
      clearInterval(tick);
      await sandbox.close();
      await producer.close();
      await shared.close();
    },
  };
}
