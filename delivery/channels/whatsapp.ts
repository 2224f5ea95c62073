import type { ChannelRules } from "./channel.ts";
import { phoneOf } from "./phone.ts";

export const whatsapp: ChannelRules = { provider: "twilio", sandboxSender: "+14155238886", addressOf: phoneOf };
