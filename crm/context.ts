import type { Redis } from "ioredis";

import type { ApiScope } from "../core/api-key.ts";
import { AppError } from "../core/errors.ts";
import type { Logger } from "../platform/logger.ts";
import type { Database } from "../platform/postgres/database.ts";
import { toAppError } from "../platform/postgres/errors.ts";
import { auditLog } from "../platform/postgres/schema.ts";
import { forClient, type Transaction } from "../platform/postgres/tenant.ts";
import type { JourneyClient } from "./journey-client.ts";
import type { ReplayClient } from "./replay-client.ts";

/** On whose behalf a verb runs. */
export interface Principal {
  client_id: string;
  /** `key:<prefix>`, or the part of Livora that acts by itself. */
  actor: string;
  scopes: readonly ApiScope[];
  request_id: string;
}

export interface CrmContext {
  /** As the tenant role, so that row-level security stands behind every statement. */
  db: Database;
  redis: Redis;
  log: Logger;
  journeys: JourneyClient;
  replays: ReplayClient;
  principal: Principal;
}

/** Throws `forbidden` where the principal may not do this kind of thing. The first line of every verb. */
export function requireScope(ctx: CrmContext, scope: ApiScope): void {
  if (!ctx.principal.scopes.includes(scope)) {
    throw new AppError("forbidden", `This key lacks the scope "${scope}".`);
  }
}

/** One transaction, bound to the principal's client. */
export async function inTransaction<T>(ctx: CrmContext, work: (tx: Transaction) => Promise<T>): Promise<T> {
  try {
    return await forClient(ctx.db, ctx.principal.client_id, work);
  } catch (error) {
    throw toAppError(error);
  }
}

interface AuditEntry {
  action: string;
  /** `<kind>:<id>`; never an address or a name. */
  subject: string;
  details?: Record<string, string | number | boolean | null>;
}

/** Part of the change's own transaction: no change without its entry, no entry without its change. */
export async function writeAudit(ctx: CrmContext, tx: Transaction, entry: AuditEntry): Promise<void> {
  const { client_id, actor, request_id } = ctx.principal;
  await tx.insert(auditLog).values({ client_id, actor, request_id, ...entry });
  ctx.log.info({ client_id, actor, request_id, audit: entry.action, subject: entry.subject }, "audit");
}

/** Reads of personal data are logged, by id only. */
export function logAccess(ctx: CrmContext, action: string, subject: string): void {
  const { client_id, actor, request_id } = ctx.principal;
  ctx.log.info({ client_id, actor, request_id, access: action, subject }, "access");
}
