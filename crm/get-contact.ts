import { z } from "zod";

import { parse } from "../core/parse.ts";
import { type Contact, viewContact } from "./contact.ts";
import { type CrmContext, inTransaction, logAccess, requireScope } from "./context.ts";
import { contactIdSchema, findContact } from "./find-contact.ts";

export const getContactInput = z.object({ id: contactIdSchema });

export async function getContact(ctx: CrmContext, input: z.input<typeof getContactInput>): Promise<Contact> {
  requireScope(ctx, "read");
  const { id } = parse(getContactInput, input, "request");
  const contact = await inTransaction(ctx, (tx) => findContact(tx, ctx.principal.client_id, id));
  logAccess(ctx, "contact.read", `contact:${contact.id}`);
  return viewContact(contact);
}
