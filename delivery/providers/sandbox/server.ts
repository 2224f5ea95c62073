import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import type { Logger } from "../../../platform/logger.ts";
import { createFcmApi, fcmError } from "./fcm.ts";
import { createFaultSwitches, type Fault, faultSchema, type SandboxProvider } from "./faults.ts";
import { isLocal, readRequest, type SandboxReply, type SandboxRequest, writeReply } from "./http.ts";
import { ensureSandboxKeys } from "./keys.ts";
import { createOutbox } from "./outbox.ts";
import { createSendgridApi, sendgridError } from "./sendgrid.ts";
import { openStore } from "./store.ts";
import { createTwilioApi, twilioError } from "./twilio.ts";
import { createWebhookSender } from "./webhook-sender.ts";

export interface SandboxOptions {
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** Messages and keys. */
  dir: string;
  twilio: { accountSid: string; authToken: string };
  sendgrid: { apiKey: string; webhookUrl: string };
  fcmProject: string;
  log: Logger;
}

export interface Sandbox {
  port: number;
  url: string;
  close(): Promise<void>;
}

const DRAIN_MS = 1_000;

interface ProviderApi {
  handle(request: SandboxRequest): Promise<SandboxReply | null>;
  isSend(request: SandboxRequest): boolean;
}

/** SendGrid, Twilio and FCM in one local server: the real clients run against it, and what they send can be read in its outbox. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const [store, keys] = await Promise.all([openStore(options.dir), ensureSandboxKeys(options.dir, options.fcmProject)]);
  const faults = createFaultSwitches();
  const twilio = createTwilioApi(store, options.twilio);
  const sendgrid = createSendgridApi(store, options.sendgrid);
  const apis: Record<SandboxProvider, ProviderApi> = { twilio, sendgrid, fcm: createFcmApi(store, keys) };
  const outbox = createOutbox(store, { twilio, sendgrid });
  const sender = createWebhookSender({ store, keys, twilioToken: options.twilio.authToken, log: options.log });

  /** Null: the connection was dropped, or will never be answered. */
  async function answer(request: SandboxRequest, response: ServerResponse): Promise<SandboxReply | null> {
    for (const [name, api] of Object.entries(apis) as [SandboxProvider, ProviderApi][]) {
      const fault = api.isSend(request) ? faults.take(name) : undefined;
      const reply = fault
        ? await failWith(fault, name, () => api.handle(request), response)
        : await api.handle(request);
      if (reply || fault) return reply;
    }
    return { status: 404, body: { error: "not found" } };
  }
  function administer(request: SandboxRequest): SandboxReply {
    if (request.method === "DELETE") {
      faults.clear();
      return { status: 204 };
    }
    const fault = faultSchema.safeParse(request.json());
    if (!fault.success) return { status: 400, body: { error: fault.error.issues } };
    faults.set(fault.data);
    return { status: 201, body: fault.data };
  }
  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await readRequest(incoming);
    if (!request) return writeReply(response, { status: 413, body: { error: "too large" } });
    const path = request.url.pathname;
    if (path === "/healthz" || path === "/readyz") return writeReply(response, { status: 200, body: { status: "ok" } });
    const isOurs = path === "/_sandbox/faults" || outbox.owns(path);
    if (isOurs && !isLocal(incoming))
      return writeReply(response, { status: 403, body: { error: "only from this machine" } });
    if (path === "/_sandbox/faults") return writeReply(response, administer(request));
    if (outbox.owns(path)) return outbox.handle(request, response);
    const reply = await answer(request, response);
    if (reply) writeReply(response, reply);
  }
  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) => {
      options.log.error({ err: error }, "sandbox request failed");
      if (!response.headersSent) writeReply(response, { status: 500, body: { error: "internal" } });
    });
  });
  await listen(server, options);
  sender.start();
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${options.host}:${port}`,
    async close() {
      outbox.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      // A request that never gets its answer (accept_then_time_out) does not keep us.
      const impatience = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
      await Promise.all([closed, sender.stop()]);
      clearTimeout(impatience);
      await store.close();
    },
  };
}

async function failWith(
  fault: Fault,
  provider: SandboxProvider,
  handle: () => Promise<SandboxReply | null>,
  response: ServerResponse,
): Promise<SandboxReply | null> {
  if (fault.delay_ms > 0) await sleep(fault.delay_ms);
  switch (fault.mode) {
    case "delay":
      return handle();
    case "accept_then_time_out":
      // The client gives up sooner or later and closes the connection.
      await handle();
      return null;
    case "drop":
      response.destroy();
      return null;
    default:
      return refusal(provider, fault.mode);
  }
}

function refusal(provider: SandboxProvider, mode: "reject" | "rate_limit" | "unavailable"): SandboxReply {
  const headers = { "retry-after": "1", "x-ratelimit-reset": String(Math.ceil(Date.now() / 1000) + 1) };
  const replies = {
    twilio: { reject: twilioError(21610), rate_limit: twilioError(20429, 429), unavailable: twilioError(20500, 503) },
    sendgrid: {
      reject: sendgridError(400, "Rejected by the sandbox"),
      rate_limit: sendgridError(429, "too many requests"),
      unavailable: sendgridError(503, "service unavailable"),
    },
    fcm: {
      reject: fcmError(403, "PERMISSION_DENIED", "SenderId mismatch", "SENDER_ID_MISMATCH"),
      rate_limit: fcmError(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", "QUOTA_EXCEEDED"),
      unavailable: fcmError(503, "UNAVAILABLE", "The service is currently unavailable.", "UNAVAILABLE"),
    },
  };
  const reply = replies[provider][mode];
  return mode === "rate_limit" ? { ...reply, headers } : reply;
}

function listen(server: ReturnType<typeof createServer>, { host, port }: SandboxOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
