import type { MessageList } from "../../core/listed-message.ts";
import { HOUR_MS } from "../../core/time.ts";
import type { Context } from "../../platform/context.ts";
import type { Lake } from "../../platform/lake/lake.ts";
import type { UserStore } from "../../platform/user-store.ts";
import { type DuckDBConnection, quote, type Warehouse } from "../../platform/warehouse/duckdb.ts";

/** By so much the clocks of the stream and of its readers may differ: what is younger counts as under way. */
export const CLOCKS_DIFFER_MS = 2_000;

export interface AuditDeps {
  ctx: Pick<Context, "db" | "log" | "redis">;
  lake: Lake;
  warehouse: Warehouse;
  store: Pick<UserStore, "list">;
  /** Of the providers that can be asked what they have sent. */
  messageLists?: readonly MessageList[];
  /** After a restore: what was acknowledged between these moments may have gone with the old stream. ISO 8601; empty: nothing. */
  lostTime?: { since: string; until: string };
  /** How long to wait for the consumers to come as far as events were taken in when the audit began. */
  patienceMs: number;
}

/** What one audit looks at: an hour of receipt at the edge, of one client or of all. */
export interface Scope {
  hourMs: number;
  clientId: string | undefined;
}

/** What one pass over an hour works with. */
export interface Pass extends Scope {
  deps: AuditDeps;
  connection: DuckDBConnection;
  /** By the consumers' watermarks. */
  settledMs: number;
}

/** SQL: rows that the edge received in this hour, of the client. */
export function isWithin({ hourMs, clientId }: Scope, received = "received_at"): string {
  const hour = `${received} >= ${sqlTime(hourMs)} AND ${received} < ${sqlTime(hourMs + HOUR_MS)}`;
  return `${hour} AND ${isOfClient(clientId)}`;
}

export function isOfClient(clientId: string | undefined): string {
  return clientId === undefined ? "TRUE" : `client_id = ${quote(clientId)}`;
}

export function sqlTime(ms: number): string {
  return `make_timestamp(${Math.floor(ms)}000)`;
}

export type Row = Record<string, unknown>;

export async function query(connection: DuckDBConnection, sql: string): Promise<Row[]> {
  return (await connection.runAndReadAll(sql)).getRowObjectsJson();
}
