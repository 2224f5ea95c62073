import { open } from "node:fs/promises";

import { BIGINT, DOUBLE, DuckDBDataChunk, INTEGER, VARCHAR } from "@duckdb/node-api";

import { edgeJournalFolder, edgeOfJournal, hourOf } from "../../core/audit.ts";
import { createJournalReader, type JournalEntry } from "../../core/edge-journal.ts";
import { HOUR_MS } from "../../core/time.ts";
import type { DuckDBConnection } from "../../platform/warehouse/duckdb.ts";
import type { Pass } from "./scope.ts";
import { listNames } from "./stage-lake.ts";

const PIECE_BYTES = 4 * 1024 * 1024;
const CHUNK_ROWS = 2_048;
/** From receipt to acknowledgement: an edge gives up long before. */
const AT_THE_EDGE_MS = 60_000;

interface Noted {
  edge: string;
  client_id: string;
  event_id: string;
  envelope: number;
  ordinal: number;
  acknowledged_ms: number;
}

/** The edges that noted something in that hour. */
export async function listJournals({ deps, hourMs }: Pick<Pass, "deps" | "hourMs">): Promise<string[]> {
  const names = await listNames(deps.lake.absolute(edgeJournalFolder(hourMs)));
  return [...new Set(names.flatMap((name) => edgeOfJournal(name) ?? []))];
}

/** As `noted`: what these edges say they acknowledged of the events that were received in the hour. */
export async function stageJournals(pass: Pass, edges: ReadonlySet<string>): Promise<void> {
  const { deps, connection, hourMs, clientId } = pass;
  await connection.run(`CREATE OR REPLACE TEMP TABLE noted (edge VARCHAR, client_id VARCHAR, event_id VARCHAR,
    envelope BIGINT, ordinal INTEGER, acknowledged_ms DOUBLE)`);
  if (edges.size === 0) return;
  const isWanted = (entry: JournalEntry) =>
    hourOf(entry.receivedAtMs) === hourMs && (clientId === undefined || entry.clientId === clientId);
  // What was received at the end of the hour may have been acknowledged in the next.
  for (const folderMs of [hourMs, hourMs + HOUR_MS]) {
    const folder = deps.lake.absolute(edgeJournalFolder(folderMs));
    for (const name of await listNames(folder)) {
      const edge = edgeOfJournal(name);
      if (edge === undefined || !edges.has(edge)) continue;
      for await (const entries of readJournal(`${folder}/${name}`, hourMs + HOUR_MS + AT_THE_EDGE_MS)) {
        await append(connection, edge, entries.filter(isWanted));
      }
    }
  }
}

async function* readJournal(path: string, untilMs: number): AsyncGenerator<JournalEntry[]> {
  const file = await open(path);
  try {
    const reader = createJournalReader();
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(PIECE_BYTES), 0, PIECE_BYTES);
      const entries = reader.read(buffer.subarray(0, bytesRead));
      yield entries;
      if (bytesRead === 0 || (entries.at(-1)?.acknowledgedAtMs ?? 0) > untilMs) return;
    }
  } finally {
    await file.close();
  }
}

async function append(connection: DuckDBConnection, edge: string, entries: readonly JournalEntry[]): Promise<void> {
  const rows = entries.flatMap(({ clientId, envelope, acknowledgedAtMs, eventIds }) =>
    eventIds.map((event_id, ordinal): Noted => {
      return { edge, client_id: clientId, event_id, envelope, ordinal, acknowledged_ms: acknowledgedAtMs };
    }),
  );
  if (rows.length === 0) return;
  const appender = await connection.createAppender("noted");
  for (let start = 0; start < rows.length; start += CHUNK_ROWS) {
    const some = rows.slice(start, start + CHUNK_ROWS);
    const chunk = DuckDBDataChunk.create([VARCHAR, VARCHAR, VARCHAR, BIGINT, INTEGER, DOUBLE]);
    chunk.setColumns([
      some.map((row) => row.edge),
      some.map((row) => row.client_id.toWellFormed()),
      some.map((row) => row.event_id),
      some.map((row) => BigInt(row.envelope)),
      some.map((row) => row.ordinal),
      some.map((row) => row.acknowledged_ms),
    ]);
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}
