import type { Handover } from "../../core/delivery.ts";

/** A message as a provider takes it: rendered, addressed, and named by its delivery. */
export interface OutgoingMessage {
  delivery_id: string;
  client_id: string;
  /** E.164, an e-mail address or a device token. */
  to: string;
  from: string;
  from_name: string | null;
  subject: string | null;
  /** HTML for e-mail, plain text elsewhere. */
  body: string;
  /** WhatsApp: the approved template and its variables. */
  content: { sid: string; variables: Record<string, string> } | null;
  /** Push: where a tap leads. */
  link: string | null;
}

/**
 * What a provider made of a message. `unreachable` and `limited`: it has certainly not got it. `lost`: it may have, its
 * answer did not arrive.
 */
export type ProviderAnswer =
  | { kind: "accepted"; message_id: string }
  | { kind: "refused"; reason: string }
  | { kind: "limited"; reason: string; retry_after_ms: number }
  | { kind: "unreachable"; reason: string }
  | { kind: "lost"; reason: string };

export interface Provider {
  name: "sendgrid" | "twilio" | "fcm";
  send(message: OutgoingMessage): Promise<ProviderAnswer>;
  /**
   * The ids of messages that may be this delivery, oldest first; empty where it has none. Null where the provider cannot
   * be asked. Throws where it does not answer.
   */
  find(deliveryId: string, handover: Handover): Promise<string[] | null>;
  /** Sending again puts the new one in the old one's place, so nobody gets two. */
  replacesRepeats: boolean;
  /** How long after a message was handed over the provider's search may still not know of it. */
  searchLagMs: number;
}
