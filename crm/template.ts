import { z } from "zod";

import { channelSchema } from "../core/message.ts";
import type { templates } from "../platform/postgres/schema.ts";
import { isoTime, project, timeSchema } from "./page.ts";

const MAX_BODY = 100_000;

const templateNameSchema = z
  .string()
  .regex(/^[\w.-][\w.\- ]{0,127}$/, "letters, digits, spaces, _ . - and at most 128 of them");

const content = {
  subject: z.string().max(998).nullish().meta({ description: "E-mail and push: Liquid." }),
  body: z.string().min(1).max(MAX_BODY).meta({ description: "Liquid. HTML for e-mail, plain text elsewhere." }),
  content_sid: z
    .string()
    .regex(/^HX[0-9a-fA-F]{32}$/)
    .nullish()
    .meta({ description: "WhatsApp: the template that Meta has approved." }),
  content_variables: z
    .record(z.string().min(1).max(64), z.string().max(1024))
    .nullish()
    .meta({ description: "WhatsApp: its variables, each Liquid." }),
};

export const templateContentSchema = z.strictObject(content).meta({ id: "TemplateContent" });

export const templateKey = { channel: channelSchema, name: templateNameSchema };

export const templateSchema = z
  .object({
    ...templateKey,
    subject: z.string().nullable(),
    body: z.string(),
    content_sid: z.string().nullable(),
    content_variables: z.record(z.string(), z.string()).nullable(),
    updated_at: timeSchema,
  })
  .meta({ id: "Template" });

export type Template = z.infer<typeof templateSchema>;

export function viewTemplate(row: typeof templates.$inferSelect): Template {
  const channel = templateKey.channel.parse(row.channel);
  return project(templateSchema, { ...row, channel, updated_at: isoTime(row.updated_at) });
}
