/** What an aggregate's table has beside `client_id` (and `day`), and PostgreSQL's types of it. */
export type AggregateColumns = Readonly<
  Record<string, "text" | "bigint" | "numeric" | "integer" | "boolean" | "jsonb" | "timestamptz" | "date" | "float8">
>;

interface AggregateTable {
  /** Of its table in the schema `analytics`. */
  name: string;
  /** Another one computes all of it anew. */
  version: number;
  columns: AggregateColumns;
}

/**
 * Computed day by day, from the events of that day alone: a late event touches its own day. `select` is asked of the view `events`: the
 * curated columns and `person` (`user:…`, `anon:…` or `session:…`), of the client's day.
 */
export interface DailyAggregate extends AggregateTable {
  select: string;
}
