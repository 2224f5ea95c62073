import { and, desc, eq, or } from "drizzle-orm";
import { z } from "zod";

import { parse } from "../core/parse.ts";
import { activities } from "../platform/postgres/schema.ts";
import { type Activity, viewActivity } from "./activity.ts";
import { type CrmContext, inTransaction, logAccess, requireScope } from "./context.ts";
import { contactIdSchema, findContact } from "./find-contact.ts";
import { afterCursor, type Page, pageInput, toPage } from "./page.ts";

export const listContactActivitiesInput = z.object({ id: contactIdSchema, ...pageInput });

/** What happened to a contact, newest first. */
export async function listContactActivities(
  ctx: CrmContext,
  input: z.input<typeof listContactActivitiesInput>,
): Promise<Page<"activities", Activity>> {
  requireScope(ctx, "read");
  const { id, limit, cursor } = parse(listContactActivitiesInput, input, "request");
  const clientId = ctx.principal.client_id;
  const { contact, rows } = await inTransaction(ctx, async (tx) => {
    const contact = await findContact(tx, clientId, id);
    const isTheirs = or(eq(activities.contact_id, contact.id), eq(activities.person_key, contact.person_key));
    const where = and(eq(activities.client_id, clientId), isTheirs, afterCursor(activities.ts, activities.id, cursor));
    const order = [desc(activities.ts), desc(activities.id)];
    return { contact, rows: await tx.query.activities.findMany({ where, orderBy: order, limit: limit + 1 }) };
  });
  logAccess(ctx, "contact.activities", `contact:${contact.id}`);
  return toPage("activities", rows, { limit, placeOf: (row) => ({ at: row.ts, id: row.id }), view: viewActivity });
}
