import type { Sql } from "postgres";

/** Reads of its own client's rows in every table; of writes only these. The rest is for the services that serve all clients. */
const TENANT_WRITES: Record<string, string> = {
  activities: "insert",
  "analytics.answers": "insert",
  audit_log: "insert",
  backfills: "insert, update (state, failure, ended_at)",
  campaigns: "insert, update",
  campaign_versions: "insert",
  companies: "insert",
  dead_letters: "update (state, history)",
  dead_letter_replays: "insert",
  deal_changes: "insert",
  deals: "insert, update",
  embed_keys: "insert, update (retired_at)",
  embeds: "insert, update (revoked_at)",
  etl_runs: "insert",
  event_schemas: "insert, update",
  event_schema_versions: "insert",
  experiments: "insert, update (ended_at)",
  event_outbox: "insert",
  pipelines: "insert",
  pipeline_stages: "insert",
  templates: "insert, update",
};

/** What a session may see: the client it was bound to, and nobody where it was bound to none. */
const BOUND_CLIENT = "(select nullif(current_setting('app.client_id', true), ''))";

/** Where clients' tables are. */
const SCHEMAS = ["public", "analytics"];

interface UnprotectedTable {
  /** With its schema, quoted. */
  name: string;
  column: string;
}

/**
 * Binds the tenant role, in every table that belongs to clients, to the rows of the client that `forClient` names. Runs
 * after each migration and touches only what is not yet bound, so no new table can be forgotten. Row-level security is
 * forced on the owner too: what it may see is a policy of its own, not an exemption.
 */
export async function protectTables(sql: Sql, tenantRole: string): Promise<string[]> {
  const tables = await findUnprotected(sql, tenantRole);
  for (const table of tables) await protect(sql, table, tenantRole);
  for (const schema of SCHEMAS) await sql.unsafe(`grant usage on schema "${schema}" to "${tenantRole}"`);
  for (const [table, writes] of Object.entries(TENANT_WRITES)) {
    await sql.unsafe(`grant ${writes} on ${quoteName(table)} to "${tenantRole}"`);
  }
  return tables.map((table) => table.name);
}

/** `"analytics"."answers"` of `analytics.answers`. */
function quoteName(table: string): string {
  return table
    .split(".")
    .map((part) => `"${part}"`)
    .join(".");
}

async function findUnprotected(sql: Sql, tenantRole: string): Promise<UnprotectedTable[]> {
  return sql<UnprotectedTable[]>`
    select format('%I.%I', c.relnamespace::regnamespace::text, c.relname) as name, a.attname as column
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and not a.attisdropped
     and a.attname = case when c.relname = 'clients' then 'id' else 'client_id' end
    where c.relnamespace::regnamespace::text in ${sql(SCHEMAS)} and c.relkind in ('r', 'p')
      and not (c.relrowsecurity and c.relforcerowsecurity
               and (select count(*) from pg_policy p where p.polrelid = c.oid) = 2
               and has_table_privilege(${tenantRole}, c.oid, 'select'))
    order by 1`;
}

async function protect(sql: Sql, { name, column }: UnprotectedTable, tenantRole: string): Promise<void> {
  await sql.unsafe(`
    alter table ${name} enable row level security;
    alter table ${name} force row level security;
    drop policy if exists "owner_sees_all" on ${name};
    create policy "owner_sees_all" on ${name} to current_user using (true) with check (true);
    drop policy if exists "tenant_sees_its_own" on ${name};
    create policy "tenant_sees_its_own" on ${name} to "${tenantRole}"
      using ("${column}" = ${BOUND_CLIENT}) with check ("${column}" = ${BOUND_CLIENT});
    grant select on ${name} to "${tenantRole}";`);
}
