import { DuckDBDataChunk, type DuckDBType, INTEGER, VARCHAR } from "@duckdb/node-api";
import { sql } from "drizzle-orm";

import { explainsAbsence } from "../../core/audit.ts";
import { HOUR_MS } from "../../core/time.ts";
import type { DuckDBConnection } from "../../platform/warehouse/duckdb.ts";
import type { Pass } from "./scope.ts";

const CHUNK_ROWS = 2_048;
/** An hour's drops are read in parts, so that a flood of repetitions does not fill the memory. */
const DROPS_AT_ONCE_MS = HOUR_MS / 12;
const LETTERS_AT_ONCE = 5_000;
/** Before this a letter of the hour cannot have been written; the clocks of edge and consumers may differ a little. */
const CLOCKS_MS = 5 * 60_000;
/** Of a letter's bytes: the line before the event is no longer. */
const HEADER_BYTES = 16_384;
/** A letter that was written into the lake is there under the same place. */
const RETRIED = new Set(["replaying", "replayed"]);

interface Explanation {
  kind: "drop" | "letter" | "retried";
  client_id: string;
  event_id: string | null;
  shard: string;
  sequence: string;
  index: number;
  /** Stage and reason. */
  detail: string;
  reason: string;
  received_at: string | null;
}

const COLUMNS: readonly (readonly [name: keyof Explanation, sql: string, type: DuckDBType])[] = [
  ["kind", "VARCHAR", VARCHAR],
  ["client_id", "VARCHAR", VARCHAR],
  ["event_id", "VARCHAR", VARCHAR],
  ["shard", "VARCHAR", VARCHAR],
  ["sequence", "VARCHAR", VARCHAR],
  ["index", "INTEGER", INTEGER],
  ["detail", "VARCHAR", VARCHAR],
  ["reason", "VARCHAR", VARCHAR],
  ["received_at", "VARCHAR", VARCHAR],
];

/** As `explained`: what was left out on purpose in that hour, and all dead letters that may be about it, by place in "events". */
export async function stageExplanations(pass: Pass): Promise<void> {
  const { connection } = pass;
  const columns = COLUMNS.map(([name, type]) => `${name} ${type}`).join(", ");
  await connection.run(`CREATE OR REPLACE TEMP TABLE staged_explanations (${columns})`);
  for await (const some of readDrops(pass)) await append(connection, some);
  for await (const some of readLetters(pass)) await append(connection, some);
  await connection.run(`CREATE OR REPLACE TEMP TABLE explained AS
    SELECT * REPLACE (CAST(received_at AS TIMESTAMP) AS received_at) FROM staged_explanations`);
}

async function* readDrops({ deps, hourMs, clientId }: Pass): AsyncGenerator<Explanation[]> {
  for (let fromMs = hourMs; fromMs < hourMs + HOUR_MS; fromMs += DROPS_AT_ONCE_MS) {
    const [from, to] = [fromMs, fromMs + DROPS_AT_ONCE_MS].map((ms) => new Date(ms).toISOString());
    const rows = await deps.ctx.db.execute<DropRow>(sql`
      select client_id, event_id, source_shard, source_sequence, source_index, stage, reason,
        to_char(received_at at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS.MS') as received_at
      from dropped_events where received_at >= ${from} and received_at < ${to}
        and (${clientId ?? null}::text is null or client_id = ${clientId ?? null})`);
    yield rows.map((row) => ({
      kind: "drop",
      client_id: row.client_id,
      event_id: row.event_id,
      ...placeOf(row),
      detail: `${row.stage}: ${row.reason}`,
      reason: row.reason,
      received_at: row.received_at,
    }));
  }
}

async function* readLetters({ deps, hourMs }: Pass): AsyncGenerator<Explanation[]> {
  const from = new Date(hourMs - CLOCKS_MS).toISOString();
  for (let after = "00000000-0000-0000-0000-000000000000"; ;) {
    // Of all clients: one that could not be read names none.
    const rows = await deps.ctx.db.execute<LetterRow>(sql`
      select id, client_id, event_id, source_shard, source_sequence, source_index, stage, state,
        case when stage = 'lake' and enrichment is null then substring(payload from 1 for ${HEADER_BYTES}) end as head
      from dead_letters where created_at >= ${from} and id > ${after}::uuid order by id limit ${LETTERS_AT_ONCE}`);
    yield rows.flatMap((row) => (explainsAbsence(row.stage) ? explanationOf(row) : []));
    const last = rows.at(-1);
    if (last === undefined || rows.length < LETTERS_AT_ONCE) return;
    after = last.id;
  }
}

function explanationOf(row: LetterRow): Explanation[] {
  const place = row.head === null ? placeOf(row) : readSource(row.head);
  if (place === null) return [];
  return [
    {
      kind: row.stage === "lake" && RETRIED.has(row.state) ? "retried" : "letter",
      client_id: row.client_id ?? "",
      event_id: row.event_id,
      ...place,
      detail: `${row.stage}, ${row.state}`,
      reason: "",
      received_at: null,
    },
  ];
}

type SourceColumns = { source_shard: string; source_sequence: string; source_index: number };
type DropRow = SourceColumns & Record<"client_id" | "event_id" | "stage" | "reason" | "received_at", string>;
type LetterRow = SourceColumns & {
  id: string;
  client_id: string | null;
  event_id: string | null;
  stage: string;
  state: string;
  head: Buffer | null;
};

type Place = Pick<Explanation, "shard" | "sequence" | "index">;

function placeOf(row: SourceColumns): Place {
  return { shard: row.source_shard, sequence: row.source_sequence, index: row.source_index };
}

/** Where the lake could not make out the event, the place is one in "enriched"; what can be read may say where it came from. */
function readSource(head: Buffer): Place | null {
  try {
    const line = head.toString("utf8", 0, Math.max(0, head.indexOf("\n")));
    const { source } = JSON.parse(line) as { source?: Partial<Place> };
    const { shard, sequence, index } = source ?? {};
    return shard === undefined || sequence === undefined || index === undefined ? null : { shard, sequence, index };
  } catch {
    return null;
  }
}

async function append(connection: DuckDBConnection, rows: readonly Explanation[]): Promise<void> {
  const appender = await connection.createAppender("staged_explanations");
  for (let start = 0; start < rows.length; start += CHUNK_ROWS) {
    const some = rows.slice(start, start + CHUNK_ROWS);
    const chunk = DuckDBDataChunk.create(COLUMNS.map(([, , type]) => type));
    chunk.setColumns(COLUMNS.map(([name]) => some.map((row) => row[name])));
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}
