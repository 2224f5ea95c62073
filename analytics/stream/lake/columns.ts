/**
 * The columns of a raw file, in order. `h` is the enrichment and `b` the event, both read once by DuckDB from the text as it
 * came through the stream (see the staging table in write-files.ts); `r` is that text. What does not fit a type is null:
 * the event as received stays in `raw`.
 */
const COLUMNS: readonly (readonly [name: string, expression: string])[] = [
  ["event_id", "h.event_id"],
  ["timestamp", "h.timestamp"],
  ["received_at", "h.received_at"],
  ["client_id", "h.client_id"],
  ["user_id", "b.user_id"],
  ["anon_id", "b.anon_id"],
  ["session_id", "b.session_id"],
  ["event_type", "h.event_type"],
  ["props", "b.props"],
  ["context", "b.context"],
  ["person_key", "h.person.key"],
  ["stitched_user_id", "h.person.user_id"],
  ["session_started_at", "h.session.started_at"],
  ["landing_page", "h.session.landing_page"],
  ["session_source", "h.session.source"],
  ["country", "h.geo.country"],
  ["city", "h.geo.city"],
  ["browser", "h.ua.browser"],
  ["os", "h.ua.os"],
  ["device", "h.ua.device"],
  ["is_bot", "h.is_bot"],
  ["utm_source", "h.utm.source"],
  ["utm_medium", "h.utm.medium"],
  ["utm_campaign", "h.utm.campaign"],
  ["utm_term", "h.utm.term"],
  ["utm_content", "h.utm.content"],
  ["request_id", "h.request_id"],
  ["source_shard", "h.source.shard"],
  ["source_sequence", "h.source.sequence"],
  ["source_index", "h.source.index"],
  ["lane", "h.lane"],
  ["raw", "r"],
];

const ENRICHMENT = {
  event_id: "VARCHAR",
  timestamp: "TIMESTAMP",
  received_at: "TIMESTAMP",
  client_id: "VARCHAR",
  event_type: "VARCHAR",
  person: { key: "VARCHAR", user_id: "VARCHAR" },
  session: { started_at: "TIMESTAMP", landing_page: "VARCHAR", source: "VARCHAR" },
  geo: { country: "VARCHAR", city: "VARCHAR" },
  ua: { browser: "VARCHAR", os: "VARCHAR", device: "VARCHAR" },
  is_bot: "BOOLEAN",
  utm: { source: "VARCHAR", medium: "VARCHAR", campaign: "VARCHAR", term: "VARCHAR", content: "VARCHAR" },
  request_id: "VARCHAR",
  source: { shard: "VARCHAR", sequence: "VARCHAR", index: "INTEGER" },
  lane: "INTEGER",
};
const EVENT = { user_id: "VARCHAR", anon_id: "VARCHAR", session_id: "VARCHAR", props: "JSON", context: "JSON" };

/** The rows of raw files, and in `part` which file they belong to, from `staged(part, enrichment, body, raw, …)`. */
export function selectColumns(where: string): string {
  const list = COLUMNS.map(([name, expression]) => `${expression} AS ${name}`).join(", ");
  const parsed = `from_json(enrichment, '${JSON.stringify(ENRICHMENT)}') AS h, from_json(coalesce(body, raw), '${JSON.stringify(EVENT)}') AS b`;
  return `SELECT ${list}, part FROM (SELECT ${parsed}, raw AS r, part FROM staged WHERE ${where})`;
}
