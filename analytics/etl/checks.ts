import type { CheckName, PartitionCheck } from "../../core/etl-check.ts";
import { HOUR_MS } from "../../core/time.ts";
import type { DuckDBConnection } from "../../platform/warehouse/duckdb.ts";
import { startOf } from "./book.ts";
import { query } from "./deps.ts";

/** What the raw files and the books say of an hour, each counted by itself: none follows from the others. */
interface Counted {
  partition: string;
  /** Rows of the raw files, and those of them that have what every event has. */
  raw: number;
  sound: number;
  /** Events that lie in the hour, and those of them that other hours keep. */
  ids: number;
  elsewhere: number;
  nowMs: number;
}

/** Minor units and pieces from which on no shop sells anything: one such event would be all that is seen of a year. */
const IMPOSSIBLE_MINOR = 10_000_000_000_000;
const IMPOSSIBLE_QUANTITY = 10_000_000;
/** So far ahead a sender's clock may be. */
const AHEAD_MS = HOUR_MS;

const COUNTS = (startMs: number, nowMs: number) => ({
  curated: "count(*)",
  ids: "count(DISTINCT event_id)",
  // As another hour's: see `stageRows`.
  taken:
    "count(*) FILTER ((md5_number_upper(event_id), md5_number_lower(event_id)) IN (SELECT (h1, h2) FROM elsewhere))",
  other_hour: `count(*) FILTER (epoch_ms(timestamp) < ${startMs} OR epoch_ms(timestamp) >= ${startMs + HOUR_MS})`,
  to_come: `count(*) FILTER (epoch_ms(timestamp) > ${nowMs + AHEAD_MS})`,
  early: "count(*) FILTER (timestamp > received_at)",
  too_much: `count(*) FILTER (abs(revenue_minor) >= ${IMPOSSIBLE_MINOR})`,
  too_many: `count(*) FILTER (quantity >= ${IMPOSSIBLE_QUANTITY}
    OR len(list_filter(items, lambda item: item.quantity >= ${IMPOSSIBLE_QUANTITY})) > 0)`,
  negative: "count(*) FILTER (revenue_minor < 0)",
  no_money: "count(*) FILTER (revenue_fault IS NOT NULL)",
  nobody: "count(*) FILTER (session_id IS NULL AND user_id IS NULL AND anon_id IS NULL)",
});

/** What the table `curated` looks like, before it counts; `elsewhere` has the ids that other hours keep. */
export async function checkCurated(connection: DuckDBConnection, counted: Counted) {
  const { partition, raw, sound, ids, elsewhere, nowMs } = counted;
  const columns = Object.entries(COUNTS(startOf(partition), nowMs)).map(([name, sum]) => `${sum} AS ${name}`);
  const [found = {}] = await query(connection, `SELECT ${columns.join(", ")} FROM curated`);
  const count = (name: keyof ReturnType<typeof COUNTS>) => Number(found[name] ?? 0);
  const rejected = raw - sound;
  const repeated = sound - ids + elsewhere;
  const curated = count("curated");
  const checks = [
    judge("completeness", Math.abs(raw - curated - repeated - rejected), "events too few or too many", true),
    judge("uniqueness", curated - count("ids"), "events stand there twice", true),
    judge("uniqueness", count("taken"), "events stand in another hour, too", true),
    judge("ranges", count("other_hour"), "events are not of this hour", true),
    judge("ranges", count("to_come"), "events are of a time that has not come", false),
    judge("ranges", count("early"), "events happened after they were received", true),
    judge("ranges", count("too_much"), "events name an impossible sum", true),
    judge("ranges", count("too_many"), "events name an impossible quantity", true),
    judge("ranges", count("negative"), "events name a sum below nothing", false),
    judge("completeness", rejected, "rows lack what every event has", false),
    judge("references", count("nobody"), "events belong to nobody", false),
    judge("money", count("no_money"), "events name a sum that is no money", false),
  ];
  return {
    checks,
    counts: { raw_rows: raw, curated_rows: curated, repeated_rows: repeated, rejected_rows: rejected },
  };
}

export function judge(check: CheckName, rows: number, what: string, holds: boolean): PartitionCheck {
  return { check, ok: rows === 0, holds, rows, detail: rows === 0 ? "" : `${rows} ${what}` };
}

/** Of each kind all that failed, or once that nothing did. */
export function onePass(checks: readonly PartitionCheck[]): PartitionCheck[] {
  const failed = checks.filter((check) => !check.ok);
  const names = new Set(checks.map(({ check }) => check));
  for (const one of failed) names.delete(one.check);
  return [...failed, ...[...names].flatMap((name) => checks.find(({ check }) => check === name) ?? [])];
}
