import { CURATED_COLUMNS } from "../../core/curated-event.ts";
import type { EtlScope } from "../../core/contracts/etl.ts";
import { accept, isHeld, keepAccepted, type PartitionCheck } from "../../core/etl-check.ts";
import { type DuckDBConnection, quote } from "../../platform/warehouse/duckdb.ts";
import { changePartition, findClient, type PartitionRow, startOf } from "./book.ts";
import { checkAudits } from "./check-audits.ts";
import { findFileFault } from "./check-files.ts";
import { type Beginning, checkSessions, readBeginnings } from "./check-sessions.ts";
import { checkCurated, onePass } from "./checks.ts";
import { readCommerceSql } from "./commerce-sql.ts";
import { clientFile, hourFile, removeOldVersions } from "./curated-files.ts";
import { type EtlDeps, query } from "./deps.ts";
import { readFiles } from "./read-files.ts";
import { REPEATS_EMPTY } from "./settle-repeats.ts";
import { findFault, ID_HASH, isSound, PLACE, withRawFiles } from "./stage-ids.ts";
import { writeFile } from "./write-file.ts";

/** Of the columns, those that are read otherwise than by their own name. */
const EXPRESSIONS: Readonly<Record<string, string>> = {
  source: "coalesce(utm_source, session_source)",
  is_bot: "coalesce(is_bot, FALSE)",
  props: "CAST(props AS VARCHAR)",
};

/**
 * Writes an hour's curated file and answers what the checks have found. Built from the raw rows that its ids name, without those that
 * another hour keeps: so what comes in meanwhile waits for the next time. An hour whose checks fail is held: the file before it counts.
 */
export async function curatePartition(
  deps: EtlDeps,
  { client_id, rebuild }: EtlScope,
  hour: PartitionRow,
): Promise<PartitionCheck[]> {
  const version = hour.version + 1;
  const path = hourFile(client_id, hour.partition, "events", version);
  const links = hourFile(client_id, hour.partition, "links", version);
  const repeats = await repeatsOf(deps, client_id);
  const fault = await findFault(hour.raw_rows, () => findFileFault(deps, client_id, hour.partition));
  if (fault !== undefined) {
    await changePartition(deps.ctx.db, client_id, hour.partition, { state: "held", checks: [fault] });
    return [fault];
  }
  const audited = await checkAudits(deps.ctx.db, { clientId: client_id, partition: hour.partition });
  // What was lost before the lake, or was sent as nonsense, no other run can mend: who asks in so many words has it built all the same.
  const take = (check: PartitionCheck) => (rebuild === true ? accept(check) : check);
  const built = await deps.warehouse.use(async (connection) => {
    const counts = await withRawFiles(deps, client_id, hour.partition, (files) =>
      stageRows(deps, connection, { client_id, hour, files, repeats }),
    );
    const found = await checkCurated(connection, { ...counts, partition: hour.partition, nowMs: Date.now() });
    const sessions = await checkSessions(deps.ctx.db, client_id, counts.beginnings);
    const judged = [take(audited), sessions, ...found.checks.map((one) => (one.check === "ranges" ? take(one) : one))];
    const result = { ...found, checks: keepAccepted(onePass(judged), hour.checks) };
    if (isHeld(result.checks)) return result;
    const columns = CURATED_COLUMNS.map(([name]) => name).join(", ");
    const order = `session_id NULLS FIRST, timestamp, ${PLACE}`;
    await writeFile(deps.lake, connection, `SELECT ${columns} FROM curated ORDER BY ${order}`, path);
    await writeFile(deps.lake, connection, LINKS, links);
    return result;
  });
  const change = isHeld(built.checks)
    ? { state: "held" as const, checks: built.checks }
    : {
        ...built.counts,
        state: "built" as const,
        checks: built.checks,
        version,
        built_digest: hour.ids_digest,
        is_disturbed: false,
        built_at: new Date().toISOString(),
      };
  await changePartition(deps.ctx.db, client_id, hour.partition, change);
  if (!isHeld(built.checks)) for (const file of [path, links]) await removeOldVersions(deps.lake, file);
  return built.checks;
}

async function repeatsOf(deps: EtlDeps, clientId: string): Promise<string> {
  const { repeats_version } = await findClient(deps.ctx.db, clientId);
  return readFiles(
    deps.lake,
    repeats_version === 0 ? [] : [clientFile(clientId, "repeats", repeats_version)],
    REPEATS_EMPTY,
  );
}

interface Staged {
  raw: number;
  sound: number;
  ids: number;
  elsewhere: number;
  beginnings: Beginning[];
}

/** Makes the table `curated`, and counts. Copies of one row, from a batch that was written twice, are one row. */
async function stageRows(
  deps: EtlDeps,
  connection: DuckDBConnection,
  { client_id, hour, files, repeats }: { client_id: string; hour: PartitionRow; files: string; repeats: string },
): Promise<Staged> {
  const ids = readFiles(deps.lake, [hourFile(client_id, hour.partition, "ids", hour.ids_version)], "");
  await connection.run(`CREATE OR REPLACE TEMP TABLE elsewhere AS
    SELECT h1, h2 FROM ${repeats} WHERE partition = ${quote(hour.partition)}`);
  await connection.run(`CREATE OR REPLACE TEMP TABLE kept AS SELECT * FROM ${ids}
    WHERE (h1, h2) NOT IN (SELECT (h1, h2) FROM elsewhere)`);
  const raw = `(SELECT *, ${ID_HASH} FROM ${files} WHERE ${isSound(client_id)})`;
  const first = `SELECT raw.* EXCLUDE (h1, h2) FROM ${raw} AS raw SEMI JOIN kept USING (h1, h2, source_sequence, source_index, source_shard)`;
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE curated AS SELECT ${COLUMNS} FROM (${readCommerceSql(`(${first})`)})`,
  );
  const [named = {}] = await query(
    connection,
    `SELECT (SELECT count(*) FROM ${ids}) AS ids, (SELECT count(*) FROM ${ids} SEMI JOIN elsewhere USING (h1, h2)) AS elsewhere,
      (SELECT count(*) FROM kept) AS kept, (SELECT count(*) FROM curated) AS curated`,
  );
  const count = (name: string) => Number(named[name] ?? 0);
  if (count("curated") > count("kept")) await connection.run(ONE_OF_EACH);
  const [counted = {}] = await query(
    connection,
    `SELECT count(*) AS raw, count(*) FILTER (${isSound(client_id)}) AS sound FROM ${files}`,
  );
  const sound = Number(counted["sound"]);
  const late = sound === count("ids") ? 0 : await countLate(connection, files, ids, client_id);
  const beginnings = await readBeginnings(connection, {
    files,
    clientId: client_id,
    startMs: startOf(hour.partition),
  });
  return {
    raw: Number(counted["raw"]) - late,
    sound: sound - late,
    ids: count("ids"),
    elsewhere: count("elsewhere"),
    beginnings,
  };
}

/** Rows that came in since the ids were read: they belong to the next time. */
async function countLate(connection: DuckDBConnection, files: string, ids: string, clientId: string): Promise<number> {
  const [counted = {}] = await query(
    connection,
    `SELECT count(*) AS late FROM (SELECT ${ID_HASH} FROM ${files} WHERE ${isSound(clientId)}) AS raw ANTI JOIN ${ids} AS ids USING (h1, h2)`,
  );
  return Number(counted["late"]);
}

/** A window over all rows costs as much as reading them: only where there are copies. */
const ONE_OF_EACH = `CREATE OR REPLACE TEMP TABLE curated AS
  FROM curated QUALIFY row_number() OVER (PARTITION BY event_id) = 1`;

const COLUMNS = CURATED_COLUMNS.map(([name, type]) => `CAST(${EXPRESSIONS[name] ?? name} AS ${type}) AS ${name}`).join(
  ", ",
);

/** For each device the user of the latest event of the hour that named both; of two at once the greater, as in the stream. */
const LINKS = `SELECT anon_id, max({'t': timestamp, 'u': user_id}).u AS user_id, max(timestamp) AS timestamp
  FROM curated WHERE anon_id IS NOT NULL AND user_id IS NOT NULL GROUP BY anon_id ORDER BY anon_id`;
