import type { Lake } from "../../platform/lake/lake.ts";
import type { DuckDBConnection } from "../../platform/warehouse/duckdb.ts";
import type { ClientRow, PartitionRow } from "./book.ts";
import { clientFile, hourFile } from "./curated-files.ts";
import { readFiles } from "./read-files.ts";
import { LINKS_EMPTY } from "./settle-links.ts";

/** Makes the view `events` of some hours' curated rows, each with its person as it is known now. `where` limits it. */
export async function createEventsView(
  lake: Lake,
  connection: DuckDBConnection,
  { client, hours, where = "TRUE" }: { client: ClientRow; hours: readonly PartitionRow[]; where?: string },
): Promise<void> {
  const { client_id, links_version } = client;
  const files = hours.map((row) => hourFile(client_id, row.partition, "events", row.version));
  const links = readFiles(
    lake,
    links_version === 0 ? [] : [clientFile(client_id, "links", links_version)],
    LINKS_EMPTY,
  );
  await connection.run(`CREATE OR REPLACE TEMP VIEW events AS
    SELECT event.*, CASE
      WHEN coalesce(event.user_id, link.user_id) IS NOT NULL THEN 'user:' || coalesce(event.user_id, link.user_id)
      WHEN event.anon_id IS NOT NULL THEN 'anon:' || event.anon_id ELSE 'session:' || event.session_id END AS person
    FROM ${readFiles(lake, files, "")} AS event LEFT JOIN ${links} AS link USING (anon_id)
    WHERE ${where}`);
}
