import { quoteList } from "../warehouse/duckdb.ts";

/** The columns of a raw file as it is written today. Files are kept for ever: older ones lack those that came later. */
const RAW_COLUMNS = {
  event_id: "VARCHAR",
  timestamp: "TIMESTAMP",
  received_at: "TIMESTAMP",
  client_id: "VARCHAR",
  user_id: "VARCHAR",
  anon_id: "VARCHAR",
  session_id: "VARCHAR",
  event_type: "VARCHAR",
  props: "JSON",
  context: "JSON",
  person_key: "VARCHAR",
  stitched_user_id: "VARCHAR",
  session_started_at: "TIMESTAMP",
  landing_page: "VARCHAR",
  session_source: "VARCHAR",
  country: "VARCHAR",
  city: "VARCHAR",
  browser: "VARCHAR",
  os: "VARCHAR",
  device: "VARCHAR",
  is_bot: "BOOLEAN",
  utm_source: "VARCHAR",
  utm_medium: "VARCHAR",
  utm_campaign: "VARCHAR",
  utm_term: "VARCHAR",
  utm_content: "VARCHAR",
  request_id: "VARCHAR",
  source_shard: "VARCHAR",
  source_sequence: "VARCHAR",
  source_index: "INTEGER",
  lane: "INTEGER",
  raw: "VARCHAR",
};

const NONE = Object.entries(RAW_COLUMNS).map(([name, type]) => `NULL::${type} AS "${name}"`);

/**
 * SQL: the rows of raw files, whenever they were written. A column that a file does not have is null in its rows, also where no file has
 * it. There must be one file at least.
 */
export function readRawFiles(absolutePaths: readonly string[]): string {
  const files = `read_parquet(${quoteList(absolutePaths)}, hive_partitioning = false, union_by_name = true)`;
  return `(SELECT ${NONE.join(", ")} WHERE FALSE UNION ALL BY NAME FROM ${files})`;
}
