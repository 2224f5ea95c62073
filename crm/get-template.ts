import { and, eq } from "drizzle-orm";
import { z } from "zod";

import { AppError } from "../core/errors.ts";
import { parse } from "../core/parse.ts";
import { templates } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { type Template, templateKey, viewTemplate } from "./template.ts";

export const getTemplateInput = z.object(templateKey);

export async function getTemplate(ctx: CrmContext, input: z.input<typeof getTemplateInput>): Promise<Template> {
  requireScope(ctx, "read");
  const { channel, name } = parse(getTemplateInput, input, "request");
  const row = await inTransaction(ctx, (tx) => {
    const isIt = and(eq(templates.channel, channel), eq(templates.name, name));
    return tx.query.templates.findFirst({ where: and(eq(templates.client_id, ctx.principal.client_id), isIt) });
  });
  if (!row) throw new AppError("not_found", "There is no such template.");
  return viewTemplate(row);
}
