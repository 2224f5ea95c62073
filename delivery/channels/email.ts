import type { ChannelRules } from "./channel.ts";

/** What any mail server could take; whether somebody reads it there, only it knows. */
const EMAIL = /^[^\s@<>()[\]\\,;:"]+@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/i;
const MAX_LENGTH = 254;

export const email: ChannelRules = {
  provider: "sendgrid",
  sandboxSender: "hello@livora.example",
  addressOf({ email }) {
    if (!email) return { ok: false, reason: "no_email" };
    const address = email.trim();
    const isValid = address.length <= MAX_LENGTH && EMAIL.test(address);
    return isValid ? { ok: true, address } : { ok: false, reason: "invalid_email" };
  },
};
