import { and, eq, inArray, sql } from "drizzle-orm";

import { etlPartitions } from "../../platform/postgres/schema.ts";
import { changeClient, findClient, listPartitions } from "./book.ts";
import { clientFile, hourFile, removeOldVersions } from "./curated-files.ts";
import { type EtlDeps, query } from "./deps.ts";
import { readFiles } from "./read-files.ts";
import { writeFile } from "./write-file.ts";

export const LINKS_EMPTY = "NULL::VARCHAR AS anon_id, NULL::VARCHAR AS user_id";
const HOUR_LINKS_EMPTY = `${LINKS_EMPTY}, NULL::TIMESTAMP AS timestamp`;

/**
 * Whose each device is, by the latest event of all hours that named both. Hours with events of devices that have changed hands, or of
 * which it was not known, are marked: aggregates of their days are computed anew. Idempotent.
 */
export async function settleLinks(deps: EtlDeps, clientId: string): Promise<void> {
  const { db } = deps.ctx;
  const hours = (await listPartitions(db, clientId)).filter((row) => row.version > 0);
  const { links_version } = await findClient(db, clientId);
  const path = clientFile(clientId, "links", links_version + 1);
  const relinked = await deps.warehouse.use(async (connection) => {
    const said = hours.map((row) => hourFile(clientId, row.partition, "links", row.version));
    const before = links_version === 0 ? [] : [clientFile(clientId, "links", links_version)];
    await connection.run(`CREATE TEMP TABLE after AS SELECT anon_id, max({'t': timestamp, 'u': user_id}).u AS user_id
      FROM ${readFiles(deps.lake, said, HOUR_LINKS_EMPTY)} GROUP BY anon_id`);
    await connection.run(`CREATE TEMP TABLE before AS FROM ${readFiles(deps.lake, before, LINKS_EMPTY)}`);
    await connection.run(`CREATE TEMP TABLE changed AS
      SELECT DISTINCT anon_id FROM ((FROM before EXCEPT FROM after) UNION ALL (FROM after EXCEPT FROM before))`);
    const [count] = await query(connection, "SELECT count(*) AS n FROM changed");
    if (Number(count?.["n"] ?? 0) === 0) return undefined;
    await writeFile(deps.lake, connection, "SELECT * FROM after ORDER BY anon_id", path);
    const files = new Map(
      hours.map((row) => [deps.lake.absolute(hourFile(clientId, row.partition, "events", row.version)), row.partition]),
    );
    const events = readFiles(deps.lake, [...files.keys()], "").replace(/\)$/, ", filename = true)");
    const found = await query(
      connection,
      `SELECT DISTINCT filename FROM ${events} WHERE user_id IS NULL AND anon_id IN (FROM changed)`,
    );
    return found.map((row) => files.get(String(row["filename"])) ?? "");
  });
  if (relinked === undefined) return;
  await db.transaction(async (tx) => {
    const mine = and(eq(etlPartitions.client_id, clientId), inArray(etlPartitions.partition, relinked));
    if (relinked.length > 0) {
      await tx
        .update(etlPartitions)
        .set({ people_version: sql`${etlPartitions.people_version} + 1` })
        .where(mine);
    }
    await changeClient(tx, clientId, { links_version: links_version + 1 });
  });
  await removeOldVersions(deps.lake, path);
}
