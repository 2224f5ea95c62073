import { z } from "zod";

import { channelSchema } from "../core/message.ts";
import type { deliveries } from "../platform/postgres/schema.ts";
import { isoTime, project, timeSchema } from "./page.ts";

export const DELIVERY_STATES = [
  "reserved",
  "submitting",
  "submitted",
  "delivered",
  "failed",
  "unknown",
  "skipped",
] as const;

export const deliverySchema = z
  .object({
    id: z.guid(),
    campaign_id: z.string(),
    version: z.int(),
    run_id: z.guid(),
    node_id: z.string(),
    contact_id: z.guid().nullable(),
    channel: channelSchema,
    template: z.string(),
    state: z.enum(DELIVERY_STATES),
    reason: z.string().nullable().meta({ description: "Why it was not sent, failed, or is not known." }),
    provider: z.string().nullable(),
    provider_message_id: z.string().nullable(),
    attempts: z.int(),
    opened_at: timeSchema.nullable(),
    clicked_at: timeSchema.nullable(),
    history: z.array(z.object({ state: z.string(), at: timeSchema, reason: z.string().optional() })),
    created_at: timeSchema,
    updated_at: timeSchema,
  })
  .meta({ id: "Delivery" });

export type Delivery = z.infer<typeof deliverySchema>;

export function viewDelivery(row: typeof deliveries.$inferSelect): Delivery {
  return project(deliverySchema, {
    ...row,
    opened_at: isoTime(row.opened_at),
    clicked_at: isoTime(row.clicked_at),
    history: row.history.map((entry) => ({ ...entry, at: isoTime(entry.at) })),
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
  });
}
