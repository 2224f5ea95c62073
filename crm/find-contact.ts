import { and, eq } from "drizzle-orm";
import { z } from "zod";

import { AppError } from "../core/errors.ts";
import { contacts } from "../platform/postgres/schema.ts";
import type { Transaction } from "../platform/postgres/tenant.ts";

export const contactIdSchema = z
  .string()
  .min(1)
  .max(256)
  .meta({ description: "The contact's UUID, or the `user_id` that the client knows the person by." });

/** By its own id or by user id: a user id may itself look like a UUID, so the one is tried after the other. */
export async function findContact(
  tx: Transaction,
  clientId: string,
  id: string,
): Promise<typeof contacts.$inferSelect> {
  const byId = z.guid().safeParse(id).success ? await findBy(tx, clientId, eq(contacts.id, id)) : undefined;
  const contact = byId ?? (await findBy(tx, clientId, eq(contacts.person_key, `user:${id}`)));
  if (!contact) throw new AppError("not_found", "There is no such contact.");
  return contact;
}

async function findBy(tx: Transaction, clientId: string, condition: ReturnType<typeof eq>) {
  return tx.query.contacts.findFirst({ where: and(eq(contacts.client_id, clientId), condition) });
}
