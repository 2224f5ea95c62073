import { CURATED_COLUMNS } from "../../core/curated-event.ts";
import { quote } from "../../platform/warehouse/duckdb.ts";

/**
 * What portable questions may read, in both warehouses:
 * `events`: the curated columns but `items`, and `person`; `event_items`: a row for each product that an event names (event_id, event_type,
 * "timestamp", product_id, category, quantity, revenue_minor, currency).
 */
const SCALARS = CURATED_COLUMNS.filter(([name]) => name !== "items").map(([name]) => `"${name}"`);
const PERSON = `CASE
  WHEN COALESCE(event.user_id, link.user_id) IS NOT NULL THEN 'user:' || COALESCE(event.user_id, link.user_id)
  WHEN event.anon_id IS NOT NULL THEN 'anon:' || event.anon_id ELSE 'session:' || event.session_id END AS person`;
const EVENTS = SCALARS.map((name) => `event.${name}`).join(", ");
const ITEM = `event.event_id, event.event_type, event."timestamp", item.product_id, item.category, item.quantity, item.revenue_minor, event.currency`;
const ONLY_ITEM = `event_id, event_type, "timestamp", product_id, category, quantity, revenue_minor, currency`;

/** Over Parquet: `events` and `links` are expressions that DuckDB can read from. */
export function duckDbViews({ events, links }: { events: string; links: string }): string[] {
  return [
    `CREATE OR REPLACE TEMP VIEW events AS SELECT ${EVENTS}, ${PERSON} FROM ${events} AS event LEFT JOIN ${links} AS link ON link.anon_id = event.anon_id`,
    `CREATE OR REPLACE TEMP VIEW event_items AS
      SELECT ${ONLY_ITEM} FROM ${events} AS event WHERE items IS NULL
      UNION ALL SELECT ${ITEM} FROM (SELECT * EXCLUDE (items), unnest(items) AS item FROM ${events}) AS event`,
  ];
}

const SPECTRUM_TYPES: Readonly<Record<string, string>> = { VARCHAR: "VARCHAR(65535)" };

/**
 * Over the same files on S3, as tables of Redshift Spectrum in the external schema `lake`. The locations are manifests (`manifestOf`):
 * a folder also holds the version before, and would count every event twice.
 */
export function redshiftTables({ events, links }: { events: string; links: string }): string[] {
  const columns = CURATED_COLUMNS.map(([name, type]) => `"${name}" ${spectrumType(type)}`);
  return [
    `CREATE EXTERNAL TABLE lake.curated_events (${columns.join(", ")}) STORED AS PARQUET LOCATION ${quote(events)}`,
    `CREATE EXTERNAL TABLE lake.links (anon_id VARCHAR(65535), user_id VARCHAR(65535)) STORED AS PARQUET LOCATION ${quote(links)}`,
    `CREATE VIEW events AS SELECT ${EVENTS}, ${PERSON}
      FROM lake.curated_events AS event LEFT JOIN lake.links AS link ON link.anon_id = event.anon_id WITH NO SCHEMA BINDING`,
    `CREATE VIEW event_items AS SELECT ${ONLY_ITEM} FROM lake.curated_events WHERE items IS NULL
      UNION ALL SELECT ${ITEM} FROM lake.curated_events AS event, event.items AS item WITH NO SCHEMA BINDING`,
  ];
}

/** Parquet's decimals, and lists of structs, under the names that Spectrum has for them. */
function spectrumType(type: string): string {
  const [, fields] = /^STRUCT\((.*)\)\[\]$/.exec(type) ?? [];
  if (fields === undefined) return SPECTRUM_TYPES[type] ?? type;
  const named = fields.split(/, (?=\w+ )/).map((field) => field.replace(" ", ":").replace("VARCHAR", "VARCHAR(65535)"));
  return `ARRAY<STRUCT<${named.join(", ")}>>`;
}

/** Which files a table of Spectrum is made of, with their sizes: for Parquet it wants to know. */
export function manifestOf(files: readonly { url: string; bytes: number }[]): string {
  const entries = files.map(({ url, bytes }) => ({ url, mandatory: true, meta: { content_length: bytes } }));
  return JSON.stringify({ entries });
}
