import type { PartitionCheck } from "../../core/etl-check.ts";
import { quoteList } from "../../platform/warehouse/duckdb.ts";
import { changeClient, changePartition, findClient, listPartitions, type PartitionRow } from "./book.ts";
import { findFileFault } from "./check-files.ts";
import { judge } from "./checks.ts";
import { clientFile, hourFile } from "./curated-files.ts";
import { type EtlDeps, query } from "./deps.ts";
import { findFault } from "./stage-ids.ts";

/** What an hour is set to where its ids are to be read anew, and where its curated file is to be written anew. */
const IDS_ANEW = { ids_digest: "", built_digest: "", is_settled: false };
const FILE_ANEW = { built_digest: "" };
/** So many ids are compared at once. */
const IDS_AT_ONCE = 2_000_000;

/**
 * Whether what an hour was built from is still there, and what was built of it: other runs ask what is new, and nobody asks what was built
 * last month. An hour whose raw files are gone or broken is held back; curated files that are, are written anew by the run that goes on.
 */
export async function verifyHour(deps: EtlDeps, clientId: string, hour: PartitionRow): Promise<PartitionCheck[]> {
  const { db } = deps.ctx;
  const fault = await findFault(hour.raw_rows, () => findFileFault(deps, clientId, hour.partition));
  if (fault !== undefined) {
    await changePartition(db, clientId, hour.partition, { ...IDS_ANEW, state: "held", checks: [fault] });
    return [fault];
  }
  const name = (kind: "ids" | "links" | "events", version: number) => hourFile(clientId, hour.partition, kind, version);
  const gone: string[] = [];
  if (hour.ids_version > 0 && (await countRows(deps, name("ids", hour.ids_version))) === undefined) {
    gone.push("list of ids");
    await changePartition(db, clientId, hour.partition, IDS_ANEW);
  }
  if (hour.version > 0) {
    const rows = await countRows(deps, name("events", hour.version));
    const links = await countRows(deps, name("links", hour.version));
    if (rows !== hour.curated_rows || links === undefined) {
      gone.push("curated file");
      await changePartition(db, clientId, hour.partition, FILE_ANEW);
    }
  }
  if (gone.length === 0) return [{ check: "readable", ok: true, holds: true, rows: 0, detail: "" }];
  const detail = `its ${gone.join(" and ")} was gone or not whole, and is written anew`;
  return [{ check: "readable", ok: false, holds: false, rows: hour.curated_rows, detail }];
}

/**
 * What there is once for each client is made anew where it is gone; and no event may stand in two curated files: the hours where one does
 * are held back, and both written anew.
 */
export async function verifyClient(deps: EtlDeps, clientId: string): Promise<PartitionCheck[]> {
  const { db } = deps.ctx;
  const { repeats_version, links_version } = await findClient(db, clientId);
  const isGone = async (kind: "repeats" | "links", version: number) =>
    version > 0 && (await countRows(deps, clientFile(clientId, kind, version))) === undefined;
  const hours = await listPartitions(db, clientId);
  if (await isGone("links", links_version)) await changeClient(db, clientId, { links_version: 0 });
  if (await isGone("repeats", repeats_version)) {
    await changeClient(db, clientId, { repeats_version: 0 });
    for (const { partition } of hours) await changePartition(db, clientId, partition, { is_settled: false });
  }
  const doubled = await findDoubles(deps, clientId, hours);
  for (const [partition, rows] of doubled) {
    const check = judge("uniqueness", rows, "events stand in another hour, too", true);
    await changePartition(db, clientId, partition, {
      is_settled: false,
      is_disturbed: true,
      state: "held",
      checks: [check],
    });
  }
  const rows = [...doubled.values()].reduce((sum, n) => sum + n, 0);
  return [
    judge("uniqueness", rows, `events stand in several hours: ${[...doubled.keys()].slice(0, 3).join(", ")}`, true),
  ];
}

/** Curated hours with events that another one has, too, and how many. */
async function findDoubles(
  deps: EtlDeps,
  clientId: string,
  hours: readonly PartitionRow[],
): Promise<Map<string, number>> {
  const built = hours.filter((hour) => hour.version > 0 && hour.built_digest !== "");
  const files = new Map(
    built.map((hour) => [deps.lake.absolute(hourFile(clientId, hour.partition, "events", hour.version)), hour]),
  );
  const rows = built.reduce((sum, hour) => sum + hour.curated_rows, 0);
  const parts = Math.ceil(rows / IDS_AT_ONCE);
  const doubled = new Map<string, number>();
  const list = `read_parquet(${quoteList([...files.keys()])}, hive_partitioning = false, filename = true)`;
  await deps.warehouse.use(async (connection) => {
    for (let part = 0; part < parts; part++) {
      const ids = `SELECT md5_number_upper(event_id) AS h1, md5_number_lower(event_id) AS h2, filename FROM ${list}
        WHERE md5_number_upper(event_id) % ${parts} = ${part}`;
      const found = await query(
        connection,
        `WITH ids AS (${ids}), twice AS (SELECT h1, h2 FROM ids GROUP BY ALL HAVING count(*) > 1)
        SELECT filename, count(*) AS events FROM ids SEMI JOIN twice USING (h1, h2) GROUP BY filename`,
      );
      for (const row of found) {
        const partition = files.get(String(row["filename"]))?.partition ?? "";
        doubled.set(partition, (doubled.get(partition) ?? 0) + Number(row["events"]));
      }
    }
  });
  return doubled;
}

/** Undefined where there is no such file, or none that is whole. */
async function countRows(deps: EtlDeps, path: string): Promise<number | undefined> {
  let counted = 0;
  const fault = await findFault(0, async () => {
    const file = quoteList([deps.lake.absolute(path)]);
    return deps.warehouse.use(async (connection) => {
      const [row] = await query(connection, `SELECT num_rows FROM parquet_file_metadata(${file})`);
      counted = Number(row?.["num_rows"]);
      return undefined;
    });
  });
  return fault === undefined ? counted : undefined;
}
