import { and, eq } from "drizzle-orm";

import { AppError } from "../core/errors.ts";
import { eventSchemas } from "../platform/postgres/schema.ts";
import type { Transaction } from "../platform/postgres/tenant.ts";

export type EventSchemaRow = typeof eventSchemas.$inferSelect;

/** `lock`: no one else makes a version or changes a setting until the transaction ends. */
export async function findEventSchema(
  tx: Transaction,
  key: { client_id: string; event_type: string },
  lock = false,
): Promise<EventSchemaRow | undefined> {
  const found = tx.select().from(eventSchemas).where(isEventSchema(key));
  const [row] = await (lock ? found.for("update") : found);
  return row;
}

/** Throws `not_found`. */
export async function requireEventSchema(
  tx: Transaction,
  key: { client_id: string; event_type: string },
  lock = false,
): Promise<EventSchemaRow> {
  const row = await findEventSchema(tx, key, lock);
  if (row === undefined) throw new AppError("not_found", "There is no schema of this event type.");
  return row;
}

export function isEventSchema({ client_id, event_type }: { client_id: string; event_type: string }) {
  return and(eq(eventSchemas.client_id, client_id), eq(eventSchemas.event_type, event_type));
}
