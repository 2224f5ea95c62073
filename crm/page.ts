import { type SQL, sql } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import { z } from "zod";

import { AppError } from "../core/errors.ts";

export const pageInput = {
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: "How many at the most." }),
  cursor: z.string().min(1).max(512).optional().meta({ description: "`next_cursor` of the page before." }),
};

/** A list under its own name, and where it goes on. */
export const pageOf = <K extends string, S extends z.ZodType>(name: K, item: S) =>
  z.object({
    [name]: z.array(item),
    next_cursor: z
      .string()
      .nullable()
      .meta({ description: "Hand it back as `cursor` for the next page; null on the last." }),
  });

export type Page<K extends string, T> = Record<K, T[]> & { next_cursor: string | null };

/** The place of a row in a list that is sorted by time and id, newest first. */
interface Place {
  at: string;
  id: string;
}
const placeSchema = z.object({ at: z.string().regex(/^[\d :.+-]{10,40}$/), id: z.guid() });

/** Rows after the cursor. The time stays PostgreSQL's own text, because it is finer than a JavaScript date. */
export function afterCursor(at: PgColumn, id: PgColumn, cursor: string | undefined): SQL | undefined {
  if (cursor === undefined) return undefined;
  const place = decodeCursor(cursor);
  return sql`(${at}, ${id}) < (${place.at}::timestamptz, ${place.id}::uuid)`;
}

/** Of `limit + 1` rows, one page. */
export function toPage<K extends string, R, T>(
  name: K,
  rows: readonly R[],
  { limit, placeOf, view }: { limit: number; placeOf: (row: R) => Place; view: (row: R) => T },
): Page<K, T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next_cursor = rows.length > limit && last !== undefined ? encodeCursor(placeOf(last)) : null;
  return { [name]: shown.map(view), next_cursor } as Page<K, T>;
}

function encodeCursor({ at, id }: Place): string {
  return Buffer.from(JSON.stringify({ at, id })).toString("base64url");
}

function decodeCursor(cursor: string): Place {
  try {
    return placeSchema.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
  } catch (error) {
    const faults = [{ path: "/cursor", reason: "is not a cursor that this list gave out" }];
    throw new AppError("invalid", "The query is not valid.", { faults, cause: error });
  }
}

/** Of a row only what the schema shows: a column that is added later is not shown by accident. */
export function project<S extends z.ZodObject>(schema: S, row: z.output<S>): z.output<S> {
  const entries = Object.keys(schema.shape).map((name) => [name, row[name]]);
  return Object.fromEntries(entries) as z.output<S>;
}

/** PostgreSQL's text of a time as ISO 8601. */
export function isoTime(at: string): string;
export function isoTime(at: string | null): string | null;
export function isoTime(at: string | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

export const timeSchema = z.iso.datetime();
