import { randomBytes, randomUUID } from "node:crypto";

import { and, desc, eq, isNull, ne } from "drizzle-orm";

import { embedKeys } from "../platform/postgres/schema.ts";
import type { Transaction } from "../platform/postgres/tenant.ts";

type EmbedKey = typeof embedKeys.$inferSelect;

/** The newest that is not retired; the first time, one is made. */
export async function signingKey(tx: Transaction, clientId: string): Promise<EmbedKey> {
  const isOurs = and(eq(embedKeys.client_id, clientId), isNull(embedKeys.retired_at));
  const found = await tx.query.embedKeys.findFirst({ where: isOurs, orderBy: desc(embedKeys.created_at) });
  return found ?? makeKey(tx, clientId);
}

/** Undefined where there is none, or it is no longer believed. */
export async function findKey(tx: Transaction, clientId: string, keyId: string): Promise<EmbedKey | undefined> {
  const isIt = and(eq(embedKeys.client_id, clientId), eq(embedKeys.id, keyId), isNull(embedKeys.retired_at));
  return tx.query.embedKeys.findFirst({ where: isIt });
}

/** From now on another key signs. Links of the old ones go on, unless they are retired with them. Answers how many were. */
export async function rotateKeys(
  tx: Transaction,
  clientId: string,
  { retire }: { retire: boolean },
): Promise<{ key_id: string; retired: number }> {
  const { id } = await makeKey(tx, clientId);
  if (!retire) return { key_id: id, retired: 0 };
  const others = and(eq(embedKeys.client_id, clientId), ne(embedKeys.id, id), isNull(embedKeys.retired_at));
  const retired = await tx
    .update(embedKeys)
    .set({ retired_at: new Date().toISOString() })
    .where(others)
    .returning({ id: embedKeys.id });
  return { key_id: id, retired: retired.length };
}

async function makeKey(tx: Transaction, client_id: string): Promise<EmbedKey> {
  const row = { id: randomUUID(), client_id, secret: randomBytes(32).toString("base64url") };
  const [made] = await tx.insert(embedKeys).values(row).returning();
  return made!;
}
