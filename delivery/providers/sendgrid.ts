import { Client } from "@sendgrid/client";
import { MailService } from "@sendgrid/mail";

import type { Config } from "../../platform/config.ts";
import { plainTextOf } from "../plain-text.ts";
import { classifyFailure, classifyStatus, retryAfterOf } from "./classify.ts";
import type { OutgoingMessage, Provider, ProviderAnswer } from "./provider.ts";

export type SendgridConfig = Pick<Config, "LIVORA_SENDGRID_URL" | "LIVORA_SENDGRID_API_KEY">;

export interface SendgridOptions {
  timeoutMs: number;
  searchLagMs: number;
}

export function createSendgridProvider(config: SendgridConfig, options: SendgridOptions): Provider {
  const client = new Client();
  client.setApiKey(config.LIVORA_SENDGRID_API_KEY);
  if (config.LIVORA_SENDGRID_URL !== "") client.setDefaultRequest("baseUrl", config.LIVORA_SENDGRID_URL);
  const mail = new MailService();
  mail.setClient(client);
  mail.setTimeout(options.timeoutMs);
  return {
    name: "sendgrid",
    replacesRepeats: false,
    searchLagMs: options.searchLagMs,
    async send(message): Promise<ProviderAnswer> {
      try {
        const [response] = await mail.send(mailOf(message));
        const headers = response.headers as Record<string, string | undefined>;
        return { kind: "accepted", message_id: headers["x-message-id"] ?? "" };
      } catch (error) {
        return classifySendgrid(error);
      }
    },
    async find(deliveryId) {
      const query = `(unique_args['delivery_id']="${deliveryId}")`;
      try {
        const [, body] = await client.request({ method: "GET", url: "/v3/messages", qs: { query, limit: 10 } });
        const { messages } = body as { messages: { msg_id: string }[] };
        return messages.map(({ msg_id }) => messageIdOf(msg_id)).toReversed();
      } catch (error) {
        // The search is an add-on of SendGrid's: without it only the event webhook can tell.
        if (statusOf(error) === 401 || statusOf(error) === 403) return null;
        throw error;
      }
    },
  };
}

/** Search and webhook tell ids with the name of the server that filtered the mail. */
export function messageIdOf(sgMessageId: string): string {
  return sgMessageId.split(".", 1)[0]!;
}

function mailOf(message: OutgoingMessage) {
  const { delivery_id, client_id } = message;
  return {
    to: message.to,
    from: { email: message.from, ...(message.from_name !== null && { name: message.from_name }) },
    subject: message.subject ?? "",
    text: plainTextOf(message.body),
    html: message.body,
    customArgs: { delivery_id, client_id },
  };
}

const statusOf = (error: unknown) => (error as { code?: unknown }).code;

function classifySendgrid(error: unknown): ProviderAnswer {
  const { code, response } = error as {
    code?: unknown;
    response?: { body?: unknown; headers?: Record<string, unknown> };
  };
  if (typeof code !== "number" || !response) return classifyFailure("sendgrid", error);
  const [first] = (response.body as { errors?: { field?: string | null }[] } | undefined)?.errors ?? [];
  const retryAfterMs = retryAfterOf(response.headers?.["retry-after"]) ?? resetOf(response.headers);
  return classifyStatus({
    provider: "sendgrid",
    status: code,
    code: first?.field ? `${code} ${first.field}` : String(code),
    retryAfterMs,
  });
}

/** SendGrid's own header: the second at which the limit is lifted. */
function resetOf(headers: Record<string, unknown> | undefined): number | undefined {
  const reset = Number(headers?.["x-ratelimit-reset"]);
  return Number.isNaN(reset) ? undefined : Math.max(0, reset * 1000 - Date.now());
}
