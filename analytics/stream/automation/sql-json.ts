import { type SQL, sql } from "drizzle-orm";

/** Rows as one parameter, whatever their number: for `jsonb_to_recordset`. */
export function jsonRows(rows: readonly unknown[]): SQL {
  return sql`${toStorableJson(rows)}::jsonb`;
}

/** PostgreSQL's text holds neither U+0000 nor half a surrogate pair; both become U+FFFD. */
export function toStorableJson(value: unknown): string {
  return JSON.stringify(value).replace(/\\\\|\\u0000|\\ud[89a-f][0-9a-f]{2}/gi, (escape) =>
    escape === "\\\\" ? escape : "\\ufffd",
  );
}
