import { z } from "zod";

import { isoTime, project, timeSchema } from "./page.ts";
import type { contacts } from "../platform/postgres/schema.ts";

export const contactSchema = z
  .object({
    id: z.guid(),
    user_id: z.string().nullable(),
    person_key: z.string().meta({ description: "`user:<user_id>` or `anon:<anon_id>`." }),
    name: z.string().nullable(),
    email: z.string().nullable(),
    phone: z.string().nullable(),
    push_token: z.string().nullable(),
    locale: z.string().nullable(),
    timezone: z.string().nullable(),
    attributes: z.record(z.string(), z.unknown()),
    source: z.string(),
    created_at: timeSchema,
    updated_at: timeSchema,
  })
  .meta({ id: "Contact" });

export type Contact = z.infer<typeof contactSchema>;

export function viewContact(row: typeof contacts.$inferSelect): Contact {
  const times = { created_at: isoTime(row.created_at), updated_at: isoTime(row.updated_at) };
  return project(contactSchema, { ...row, ...times });
}
