import { sql } from "drizzle-orm";
import { Liquid } from "liquidjs";
import { z } from "zod";

import { AppError, type Fault } from "../core/errors.ts";
import { parse } from "../core/parse.ts";
import { templates } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope, writeAudit } from "./context.ts";
import { type Template, templateContentSchema, templateKey, viewTemplate } from "./template.ts";

export const putTemplateInput = z.object({ ...templateKey, content: templateContentSchema });

/** The template as it will be sent from now on, also by runs that are under way. */
export async function putTemplate(ctx: CrmContext, input: z.input<typeof putTemplateInput>): Promise<Template> {
  requireScope(ctx, "admin");
  const { channel, name, content } = parse(putTemplateInput, input, "template");
  const faults = findLiquidFaults(content);
  if (faults.length > 0) throw new AppError("invalid", "The template is not valid.", { faults });
  const { subject = null, body, content_sid = null, content_variables = null } = content;
  const written = { subject, body, content_sid, content_variables, updated_at: sql`clock_timestamp()` };
  const row = await inTransaction(ctx, async (tx) => {
    const target = [templates.client_id, templates.channel, templates.name];
    const [row] = await tx
      .insert(templates)
      .values({ client_id: ctx.principal.client_id, channel, name, ...written })
      .onConflictDoUpdate({ target, set: written })
      .returning();
    await writeAudit(ctx, tx, { action: "template.put", subject: `template:${channel}/${name}` });
    return row!;
  });
  return viewTemplate(row);
}

/** Found out now, not when the first message is due. Nothing is rendered and no file can be included. */
function findLiquidFaults(content: z.infer<typeof templateContentSchema>): Fault[] {
  const liquid = new Liquid();
  const texts: [string, string | null | undefined][] = [
    ["/subject", content.subject],
    ["/body", content.body],
    ...Object.entries(content.content_variables ?? {}).map(([name, text]): [string, string] => [
      `/content_variables/${name}`,
      text,
    ]),
  ];
  return texts.flatMap(([path, text]) => {
    try {
      liquid.parse(text ?? "");
      return [];
    } catch (error) {
      return [{ path, reason: (error as Error).message.split("\n", 1)[0]! }];
    }
  });
}
