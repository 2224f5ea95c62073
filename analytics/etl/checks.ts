import type { CheckName, PartitionCheck } from "../../core/etl-check.ts";
import type { DuckDBConnection } from "../../platform/warehouse/duckdb.ts";
import { startOf } from "./book.ts";
import { query } from "./deps.ts";

interface Counted {
  partition: string;
  /** Rows of the raw files, and those of them that have what every event has. */
  raw: number;
  sound: number;
  /** Events that its ids name and that no other hour keeps. */
  kept: number;
}

/** What the table `curated` looks like, before it counts. */
export async function checkCurated(connection: DuckDBConnection, { partition, raw, sound, kept }: Counted) {
  const startMs = startOf(partition);
  const [found = {}] = await query(
    connection,
    `SELECT count(*) AS curated, count(DISTINCT event_id) AS ids,
      count(*) FILTER (epoch_ms(timestamp) < ${startMs} OR epoch_ms(timestamp) >= ${startMs + 3_600_000}) AS elsewhere,
      count(*) FILTER (timestamp > received_at) AS early,
      count(*) FILTER (revenue_fault IS NOT NULL) AS no_money,
      count(*) FILTER (session_id IS NULL AND user_id IS NULL AND anon_id IS NULL) AS nobody
    FROM curated`,
  );
  const count = (name: string) => Number(found[name] ?? 0);
  const curated = count("curated");
  const rejected = raw - sound;
  const repeated = sound - curated;
  const checks: PartitionCheck[] = [
    judge("completeness", Math.abs(kept - curated), "events too few or too many", true),
    judge("uniqueness", curated - count("ids"), "events stand there twice", true),
    judge("ranges", count("elsewhere"), "events are not of this hour", true),
    judge("references", count("nobody"), "events belong to nobody", false),
    judge("money", count("no_money"), "events name a sum that is no money", false),
  ];
  if (rejected > 0) checks.push(judge("completeness", rejected, "rows lack what every event has", false));
  if (count("early") > 0)
    checks.push(judge("ranges", count("early"), "events happened after they were received", false));
  return { checks, counts: { raw_rows: raw, curated_rows: curated, repeated_rows: repeated, rejected_rows: rejected } };
}

function judge(check: CheckName, rows: number, what: string, holds: boolean): PartitionCheck {
  return { check, ok: rows === 0, holds, rows, detail: rows === 0 ? "" : `${rows} ${what}` };
}
