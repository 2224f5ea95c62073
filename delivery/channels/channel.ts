import type { contacts } from "../../platform/postgres/schema.ts";

export type Contact = typeof contacts.$inferSelect;

/** Where a contact can be reached, or why not. */
export type Address = { ok: true; address: string } | { ok: false; reason: string };

export interface ChannelRules {
  provider: "sendgrid" | "twilio" | "fcm";
  addressOf(contact: Contact): Address;
  /** The sender where the client has set none and Livora runs against the sandbox. */
  sandboxSender: string;
}
