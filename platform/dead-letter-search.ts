import { and, eq, gte, inArray, lt, type SQL, sql } from "drizzle-orm";

import type { LetterFilter, LetterSelection } from "../core/dead-letter-selection.ts";
import { deadLetters } from "./postgres/schema.ts";

/** The client's letters that the filter finds. Text is looked for in the bytes as they came: a scan of what the rest leaves. */
export function whereFilter(clientId: string, filter: LetterFilter): SQL | undefined {
  const { stage, kind, reason, event_type, event_id, since, until, text } = filter;
  return and(
    eq(deadLetters.client_id, clientId),
    stage === undefined ? undefined : eq(deadLetters.stage, stage),
    kind === undefined ? undefined : eq(deadLetters.kind, kind),
    reason === undefined ? undefined : eq(deadLetters.reason, reason),
    event_type === undefined ? undefined : eq(deadLetters.event_type, event_type),
    event_id === undefined ? undefined : eq(deadLetters.event_id, event_id),
    since === undefined ? undefined : gte(deadLetters.created_at, since),
    until === undefined ? undefined : lt(deadLetters.created_at, until),
    text === undefined ? undefined : sql`position(convert_to(${text}, 'UTF8') in ${deadLetters.payload}) > 0`,
  );
}

export function whereSelection(clientId: string, selection: LetterSelection): SQL | undefined {
  if ("filter" in selection) return whereFilter(clientId, selection.filter);
  return and(eq(deadLetters.client_id, clientId), inArray(deadLetters.id, selection.ids));
}

/** Oldest first, and those of one moment in the order in which they lay in their stream. */
export const IN_ORDER = [
  sql`${deadLetters.created_at}`,
  sql`length(${deadLetters.source_sequence})`,
  sql`${deadLetters.source_sequence}`,
  sql`${deadLetters.source_index}`,
  sql`${deadLetters.id}`,
];
