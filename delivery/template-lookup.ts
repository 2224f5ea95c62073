import { and, eq } from "drizzle-orm";

import type { Channel } from "../core/message.ts";
import { isStarterTemplate } from "../core/starter-template.ts";
import type { Database } from "../platform/postgres/database.ts";
import { templates } from "../platform/postgres/schema.ts";
import { plainTemplate, starterTemplate, type TemplateContent } from "./templates/starters.ts";

export interface TemplateKey {
  client_id: string;
  channel: Channel;
  name: string;
}

/** The client's own, else the starter of that name, else plain words. */
export async function findTemplate(db: Database, key: TemplateKey): Promise<TemplateContent> {
  const own = await findOwnTemplate(db, key);
  if (own) return own;
  return isStarterTemplate(key.name) ? starterTemplate(key.channel, key.name) : plainTemplate(key.channel);
}

async function findOwnTemplate(
  db: Database,
  { client_id, channel, name }: TemplateKey,
): Promise<TemplateContent | undefined> {
  const { subject, body, content_sid, content_variables } = templates;
  const [row] = await db
    .select({ subject, body, content_sid, content_variables })
    .from(templates)
    .where(and(eq(templates.client_id, client_id), eq(templates.channel, channel), eq(templates.name, name)));
  return row;
}
