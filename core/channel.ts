/** Apart from `message.ts`, so that workflow code can name channels without loading zod. */
export const CHANNELS = ["email", "sms", "whatsapp", "push"] as const;
export type Channel = (typeof CHANNELS)[number];
