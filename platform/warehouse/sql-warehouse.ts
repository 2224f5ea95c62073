/** A value of an answer: whole numbers are numbers, decimals and times are text (`2026-11-21 10:00:00`). */
export type SqlValue = string | number | boolean | null;
export type SqlRow = Record<string, SqlValue>;

export interface AskOptions {
  /** By name, as text: the SQL says `CAST(:start AS TIMESTAMP)`. Colons stand for nothing else in it but within quotes. */
  parameters?: Readonly<Record<string, string>>;
  /** After that it is cancelled, and thrown as `unavailable`. */
  timeoutMs?: number;
  /** Who asks with the same token again gets the same statement, not a second one: where there is a server that can tell. */
  token?: string;
  signal?: AbortSignal;
}

/**
 * A warehouse that is asked in SQL that DuckDB and Redshift both speak (docs/adr/0020). Throws `invalid` where the statement is at fault,
 * `unavailable` where it was not answered in time or the warehouse is away.
 */
export interface SqlWarehouse {
  readonly dialect: "duckdb" | "redshift";
  ask(sql: string, options?: AskOptions): Promise<SqlRow[]>;
}
