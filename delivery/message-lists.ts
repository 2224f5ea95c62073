import twilio from "twilio";

import type { ListedMessage, MessageList } from "../core/listed-message.ts";
import type { Config } from "../platform/config.ts";
import { contentHash } from "./content-hash.ts";
import { messageIdOf } from "./providers/sendgrid.ts";

const PAGE = 1_000;

export type ListConfig = Pick<
  Config,
  | "LIVORA_TWILIO_URL"
  | "LIVORA_TWILIO_ACCOUNT_SID"
  | "LIVORA_TWILIO_AUTH_TOKEN"
  | "LIVORA_SENDGRID_URL"
  | "LIVORA_FCM_URL"
>;

/**
 * The lists of those providers that keep one for everybody to read: Twilio, and the sandbox for all. FCM has none; SendGrid's is an
 * add-on that tells of the last thing that happened to a mail, a thousand mails at most.
 */
export function createMessageLists(config: ListConfig, timeoutMs = 10_000): MessageList[] {
  const lists = [listOfTwilio(config, timeoutMs)];
  if (config.LIVORA_SENDGRID_URL !== "")
    lists.push(listOfSandbox("sendgrid", "email", config.LIVORA_SENDGRID_URL, timeoutMs));
  if (config.LIVORA_FCM_URL !== "") lists.push(listOfSandbox("fcm", "push", config.LIVORA_FCM_URL, timeoutMs));
  return lists;
}

function listOfTwilio(config: ListConfig, timeout: number): MessageList {
  const client = twilio(config.LIVORA_TWILIO_ACCOUNT_SID, config.LIVORA_TWILIO_AUTH_TOKEN, { timeout });
  if (config.LIVORA_TWILIO_URL !== "") client.api.baseUrl = config.LIVORA_TWILIO_URL;
  return {
    provider: "twilio",
    async list(fromMs, toMs, limit) {
      const [dateSentAfter, dateSentBefore] = [new Date(fromMs), new Date(toMs)];
      const sent = await client.messages.list({ dateSentAfter, dateSentBefore, pageSize: PAGE, limit });
      // What people have written to us is on the list, too.
      return sent
        .filter((message) => message.direction.startsWith("outbound"))
        .map(({ sid, to, from, body, dateSent }) => ({
          message_id: sid,
          to: bare(to),
          from: bare(from),
          content_sha256: contentHash(body),
          at: dateSent.toISOString(),
        }));
    },
    async has(messageId) {
      try {
        await client.messages(messageId).fetch();
        return true;
      } catch (error) {
        if ((error as { status?: unknown }).status === 404) return false;
        throw error;
      }
    },
  };
}

const bare = (address: string) => address.replace(/^whatsapp:/, "");

interface SandboxMessage {
  id: string;
  to: string;
  from: string;
  body: string;
  received_at: string;
}

function listOfSandbox(provider: "sendgrid" | "fcm", channel: string, url: string, timeoutMs: number): MessageList {
  async function read(query: Record<string, string>): Promise<ListedMessage[]> {
    const response = await fetch(`${url}/messages?${new URLSearchParams({ channel, ...query }).toString()}`, {
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) throw new Error(`the sandbox answered ${response.status}`);
    const messages = (await response.json()) as SandboxMessage[];
    return messages.map(({ id, to, from, body, received_at }) => ({
      message_id: provider === "sendgrid" ? messageIdOf(id) : id,
      to,
      from,
      content_sha256: contentHash(body),
      at: received_at,
    }));
  }
  return {
    provider,
    async list(fromMs, toMs, limit) {
      const since = await read({ since: new Date(fromMs).toISOString() });
      return since.filter((message) => Date.parse(message.at) < toMs).slice(0, limit);
    },
    async has(messageId) {
      return (await read({})).some((message) => message.message_id === messageId);
    },
  };
}
