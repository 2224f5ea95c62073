import type { ChannelRules } from "./channel.ts";

const MAX_LENGTH = 4096;

export const push: ChannelRules = {
  provider: "fcm",
  // FCM knows the sender by the project that the token belongs to.
  sandboxSender: "",
  addressOf({ push_token }) {
    if (!push_token) return { ok: false, reason: "no_push_token" };
    const isValid = push_token.length <= MAX_LENGTH && /^[\x21-\x7e]+$/.test(push_token);
    return isValid ? { ok: true, address: push_token } : { ok: false, reason: "invalid_push_token" };
  },
};
