import type { ChannelRules } from "./channel.ts";
import { phoneOf } from "./phone.ts";

export const sms: ChannelRules = { provider: "twilio", sandboxSender: "+15005550006", addressOf: phoneOf };
