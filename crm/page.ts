import { type SQL, sql } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import { z } from "zod";

import { AppError } from "../core/errors.ts";

export const pageInput = {
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: "How many at the most." }),
  cursor: z.string().min(1).max(512).optional().meta({ description: "`next_cursor` of the page before." }),
};

export const pageOf = <S extends z.ZodType>(item: S) =>
  z.object({
    items: z.array(item),
    next_cursor: z
      .string()
      .nullable()
      .meta({ description: "Hand it back as `cursor` for the next page; null on the last." }),
  });

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

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
export function toPage<R, T>(
  rows: readonly R[],
  limit: number,
  placeOf: (row: R) => Place,
  view: (row: R) => T,
): Page<T> {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const hasMore = rows.length > limit && last !== undefined;
  return { items: page.map(view), next_cursor: hasMore ? encodeCursor(placeOf(last)) : null };
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

/** PostgreSQL's text of a time as ISO 8601. */
export function isoTime(at: string): string;
export function isoTime(at: string | null): string | null;
export function isoTime(at: string | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

export const timeSchema = z.iso.datetime();
