/** A message as its provider lists it. */
export interface ListedMessage {
  message_id: string;
  /** Bare: an E.164 number, an e-mail address, a device token. */
  to: string;
  from: string;
  /** SHA-256 of its text, hex. */
  content_sha256: string;
  /** ISO 8601; some providers tell it to the second. */
  at: string;
}

/** What a provider itself says that it has taken from us. */
export interface MessageList {
  provider: "sendgrid" | "twilio" | "fcm";
  /** Those of that time (epoch milliseconds), the newest `limit` of them. Rejects where the provider does not answer. */
  list(fromMs: number, toMs: number, limit: number): Promise<ListedMessage[]>;
  /** Whether it has this one, whenever that was. */
  has(messageId: string): Promise<boolean>;
}
