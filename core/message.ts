import { z } from "zod";

export const CHANNELS = ["email", "sms", "whatsapp", "push"] as const;
export const channelSchema = z.enum(CHANNELS);
export type Channel = (typeof CHANNELS)[number];
