import type { Channel } from "../../core/message.ts";
import type { ChannelRules } from "./channel.ts";
import { email } from "./email.ts";
import { push } from "./push.ts";
import { sms } from "./sms.ts";
import { whatsapp } from "./whatsapp.ts";

export const CHANNEL_RULES: Readonly<Record<Channel, ChannelRules>> = { email, sms, whatsapp, push };
