import { sql } from "drizzle-orm";

import { anonKey, userKey } from "../../../core/stitch.ts";
import type { Database } from "../../../platform/postgres/database.ts";
import type { Transaction } from "../../../platform/postgres/tenant.ts";
import { quote } from "../../../platform/warehouse/duckdb.ts";
import { findClient } from "../book.ts";
import { clientFile } from "../curated-files.ts";
import { type EtlDeps, query } from "../deps.ts";
import { readFiles } from "../read-files.ts";
import { LINKS_EMPTY } from "../settle-links.ts";

/** Whose the devices are that runs were begun for, by person key: `anon:…` → `user:…`. As the purchases were told whose they are. */
export type People = ReadonlyMap<string, string>;

const DEVICE = anonKey("");
const KEYS_AT_ONCE = 20_000;

/** Looked up in the links of the curated lake: a run that was over before somebody logged in is theirs all the same. */
export async function findOwners(deps: EtlDeps, clientId: string): Promise<People> {
  const devices = await listDevices(deps.ctx.db, clientId);
  const { links_version } = await findClient(deps.ctx.db, clientId);
  if (links_version === 0) return new Map();
  const links = readFiles(deps.lake, [clientFile(clientId, "links", links_version)], LINKS_EMPTY);
  const owners = new Map<string, string>();
  await deps.warehouse.use(async (connection) => {
    for (let from = 0; from < devices.length; from += KEYS_AT_ONCE) {
      const some = JSON.stringify(devices.slice(from, from + KEYS_AT_ONCE));
      const rows = await query(
        connection,
        `SELECT anon_id, user_id FROM ${links} WHERE anon_id IN (SELECT unnest(from_json(${quote(some)}, '["VARCHAR"]')))`,
      );
      for (const row of rows) owners.set(anonKey(String(row["anon_id"])), userKey(String(row["user_id"])));
    }
  });
  return owners;
}

async function listDevices(db: Database, clientId: string): Promise<string[]> {
  const rows = await db.execute<{ device: string }>(sql`
    select distinct substr(person_key, ${DEVICE.length + 1}::int) as device from journey_runs
    where client_id = ${clientId} and starts_with(person_key, ${DEVICE})`);
  return rows.map((row) => row.device);
}

/** Makes the table `owners` (person_key, person) for the rest of the transaction. */
export async function stageOwners(tx: Transaction, people: People): Promise<void> {
  await tx.execute(sql`create temp table owners (person_key text primary key, person text not null) on commit drop`);
  const all = [...people].map(([person_key, person]) => ({ person_key, person }));
  for (let from = 0; from < all.length; from += KEYS_AT_ONCE) {
    const some = JSON.stringify(all.slice(from, from + KEYS_AT_ONCE));
    await tx.execute(sql`insert into owners
      select person_key, person from jsonb_to_recordset(${some}::text::jsonb) as row(person_key text, person text)`);
  }
}
