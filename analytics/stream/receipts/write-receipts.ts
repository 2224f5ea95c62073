import { rm } from "node:fs/promises";

import { BIGINT, DuckDBDataChunk, INTEGER, VARCHAR } from "@duckdb/node-api";

import { hourOf, receiptsFileName, receiptsFolder } from "../../../core/audit.ts";
import type { FileRange } from "../../../core/lake.ts";
import type { Lake } from "../../../platform/lake/lake.ts";
import { type DuckDBConnection, quote, type Warehouse } from "../../../platform/warehouse/duckdb.ts";
import type { Receipt } from "./read-receipts.ts";

const CHUNK_ROWS = 2_048;

/** One file for each hour of receipt that the batch touches: mostly one. The same receipts make the same bytes. */
export async function writeReceipts(
  { lake, warehouse }: { lake: Lake; warehouse: Warehouse },
  range: FileRange,
  receipts: readonly Receipt[],
): Promise<string[]> {
  const hours = Map.groupBy(receipts, (receipt) => hourOf(receipt.receivedAtMs));
  return warehouse.use(async (connection) => {
    const paths: string[] = [];
    for (const [hourMs, some] of hours) {
      await stage(connection, range.shard, some);
      const path = `${receiptsFolder(hourMs)}/${receiptsFileName(range)}`;
      const temp = await lake.tempPath();
      try {
        await connection.run(`COPY (${SELECT}) TO ${quote(temp)} (FORMAT parquet, COMPRESSION zstd)`);
        await lake.publish(temp, path);
      } finally {
        await rm(temp, { force: true });
      }
      paths.push(path);
    }
    return paths;
  });
}

/** Sorted by client, so that whoever asks for one of them reads little of the others'. */
const SELECT = `
  SELECT client_id, event_id, make_timestamp(received_ms * 1000) AS received_at, make_timestamp(arrived_ms * 1000) AS arrived_at,
    make_timestamp(sent_ms * 1000) AS sent_at, shard, sequence, index, edge, envelope, ordinal
  FROM staged ORDER BY client_id, n`;

async function stage(connection: DuckDBConnection, shard: string, receipts: readonly Receipt[]): Promise<void> {
  await connection.run(`CREATE OR REPLACE TEMP TABLE staged (n INTEGER, client_id VARCHAR, event_id VARCHAR,
    received_ms BIGINT, arrived_ms BIGINT, sent_ms BIGINT, shard VARCHAR, sequence VARCHAR, index INTEGER,
    edge VARCHAR, envelope BIGINT, ordinal INTEGER)`);
  const appender = await connection.createAppender("staged");
  for (let start = 0; start < receipts.length; start += CHUNK_ROWS) {
    const some = receipts.slice(start, start + CHUNK_ROWS);
    const chunk = DuckDBDataChunk.create([
      INTEGER,
      VARCHAR,
      VARCHAR,
      BIGINT,
      BIGINT,
      BIGINT,
      VARCHAR,
      VARCHAR,
      INTEGER,
      VARCHAR,
      BIGINT,
      INTEGER,
    ]);
    chunk.setColumns([
      some.map((_, i) => start + i),
      some.map((receipt) => receipt.clientId.toWellFormed()),
      some.map((receipt) => receipt.eventId?.toWellFormed() ?? null),
      some.map((receipt) => BigInt(receipt.receivedAtMs)),
      some.map((receipt) => BigInt(receipt.arrivedAtMs)),
      some.map((receipt) => (receipt.sentAtMs === null ? null : BigInt(receipt.sentAtMs))),
      some.map(() => shard),
      some.map((receipt) => receipt.sequence),
      some.map((receipt) => receipt.index),
      some.map((receipt) => receipt.edge),
      some.map((receipt) => (receipt.envelope === null ? null : BigInt(receipt.envelope))),
      some.map((receipt) => receipt.ordinal),
    ]);
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}
