import { fileURLToPath } from "node:url";

import { drizzle } from "drizzle-orm/postgres-js";
import { migrate as applyMigrations } from "drizzle-orm/postgres-js/migrator";
import postgres, { type Sql } from "postgres";

import type { Logger } from "../logger.ts";
import { protectTables } from "./row-level-security.ts";

/** The role that row-level security binds. Who provisions the database gives it its password. */
const TENANT_ROLE = "livora_tenant";

const MIGRATIONS = fileURLToPath(new URL("migrations", import.meta.url));
/** Any number, the same in every release: whoever holds it migrates, the others wait. */
const LOCK = 5_820_271_934;

/** Brings the schema up to date. May be called by any number of processes at once, and again at every start. */
export async function migrate(url: string, log?: Logger): Promise<void> {
  const sql = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => {} });
  try {
    // One connection only, so that the lock and the work share a session; it goes with the session, also in a crash.
    await sql`select pg_advisory_lock(${LOCK})`;
    await ensureTenantRole(sql);
    await applyMigrations(drizzle(sql), { migrationsFolder: MIGRATIONS });
    const bound = await protectTables(sql, TENANT_ROLE);
    log?.info({ bound }, "schema is up to date");
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function ensureTenantRole(sql: Sql): Promise<void> {
  const [role] = await sql`select 1 from pg_roles where rolname = ${TENANT_ROLE}`;
  if (!role) await sql.unsafe(`create role "${TENANT_ROLE}" login`);
}
