import { decodeSeen } from "../stream/enrich/seen/seen-codec.ts";
import type { Difference } from "../../core/contracts/audit.ts";
import { partitionOf } from "../../core/lake.ts";
import { MINUTE_MS } from "../../core/time.ts";
import { type Pass, query, type Row } from "./scope.ts";
import { type GoneFile, searchLake } from "./stage-lake.ts";

/** The first differences of each client, with where the event was last seen. */
export async function describeDifferences(pass: Pass, gone: readonly GoneFile[], limit: number): Promise<Difference[]> {
  const rows = await query(
    pass.connection,
    `SELECT kind, client_id, event_id, place, count, last_seen, epoch_ms(sent_at)::DOUBLE AS sent_ms, epoch_ms(lake_at)::DOUBLE AS lake_ms
     FROM differences QUALIFY row_number() OVER (PARTITION BY client_id ORDER BY kind, place, event_id) <= ${limit}
     ORDER BY client_id, kind, place, event_id`,
  );
  const elsewhere = await findElsewhere(pass);
  return Promise.all(
    rows.map(async (row) => ({
      kind: row["kind"] as Difference["kind"],
      count: Number(row["count"]),
      client_id: String(row["client_id"]),
      event_id: row["event_id"] === null ? null : String(row["event_id"]),
      delivery_id: null,
      place: row["place"] === null ? null : String(row["place"]),
      last_seen: row["kind"] === "missing" ? await followEvent(pass, row, gone, elsewhere) : withCopy(row, elsewhere),
    })),
  );
}

/** What the stream lost may have been sent twice. */
function withCopy(row: Row, elsewhere: ReadonlyMap<string, string>): string {
  const seen = String(row["last_seen"]);
  const file = elsewhere.get(`${String(row["event_id"])} ${String(row["client_id"])}`);
  return row["kind"] === "lost_in_stream" && file !== undefined ? `${seen}; a repetition of it is in ${file}` : seen;
}

/** Files in which a missing event's id is all the same: in another partition than it belongs to, or under another place. */
async function findElsewhere(pass: Pass): Promise<Map<string, string>> {
  await pass.connection.run(`CREATE OR REPLACE TEMP TABLE sought AS
    SELECT DISTINCT client_id, lower(event_id) AS id FROM differences WHERE kind IN ('missing', 'lost_in_stream') AND event_id IS NOT NULL`);
  await searchLake(pass);
  const rows = await query(pass.connection, "SELECT client_id, id, file FROM found");
  return new Map(rows.map((row) => [`${String(row["id"])} ${String(row["client_id"])}`, String(row["file"])]));
}

/** From the stream to the lake, as far as there are traces. */
async function followEvent(
  pass: Pass,
  row: Row,
  gone: readonly GoneFile[],
  elsewhere: ReadonlyMap<string, string>,
): Promise<string> {
  const [client, id] = [String(row["client_id"]), String(row["event_id"]).toLowerCase()];
  if (row["event_id"] === null || row["sent_ms"] === null) return "stream: it has its receipt; it cannot be read";
  const file = elsewhere.get(`${id} ${client}`);
  if (file !== undefined) return `lake, ${file}: the same id, under another place or hour`;
  if (!(await wasSeen(pass, client, id, row))) return "stream: it has its receipt; the enrichment does not remember it";
  const { path: partition } = partitionOf(client, Number(row["lake_ms"]));
  const lost = gone.filter((one) => one.client_id === client && one.partition === partition);
  if (lost.length === 0) return "enrichment: it is remembered there under this place; the lake has no row of it";
  return `lake: the enrichment remembers it, and of its partition ${lost.map((one) => one.path).join(", ")} is gone`;
}

/** Whether the enrichment remembers this id under this place: for seven days it does. */
async function wasSeen({ deps }: Pass, client: string, id: string, row: Row): Promise<boolean> {
  const minute = Math.floor(Number(row["sent_ms"]) / MINUTE_MS);
  const [, sequence, index] = String(row["place"]).split(" ");
  const items = await deps.store.list({ client, kind: "SEEN", owner: String(minute) }, "");
  const entries = items.flatMap(({ item }) => decodeSeen(item.data as Uint8Array));
  const isIt = (entry: (typeof entries)[number]) =>
    entry.place.sequence === sequence && entry.place.index === Number(index);
  return entries.some((entry) => entry.id.toLowerCase() === id && isIt(entry));
}
