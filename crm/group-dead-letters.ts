import { and, eq, sql } from "drizzle-orm";
import { z } from "zod";

import { explainKind, LETTER_KINDS } from "../core/dead-letter.ts";
import { letterFilterShape, letterStateSchema } from "../core/dead-letter-selection.ts";
import { parse } from "../core/parse.ts";
import { whereFilter } from "../platform/dead-letter-search.ts";
import { deadLetters } from "../platform/postgres/schema.ts";
import { type CrmContext, inTransaction, requireScope } from "./context.ts";
import { isoTime, timeSchema } from "./page.ts";

export const groupDeadLettersInput = z.object({
  ...letterFilterShape,
  state: letterStateSchema.default("open"),
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: "How many groups at the most." }),
});

export const deadLetterGroupsSchema = z.object({
  groups: z.array(
    z
      .object({
        stage: z.string(),
        kind: z.enum(LETTER_KINDS).meta({ description: "Whether the event is wrong, or something was away." }),
        reason: z.string(),
        count: z.int(),
        came_back: z.int().meta({ description: "How many of them are what became of a letter that was replayed." }),
        why: z.string().meta({ description: "Why they are of this kind, and what to do." }),
        event_types: z.array(z.string()).meta({ description: "Some of them; at most ten." }),
        first_seen: timeSchema,
        last_seen: timeSchema,
        example_id: z.guid().meta({ description: "The newest." }),
      })
      .meta({ id: "DeadLetterGroup" }),
  ),
});

/** Letters by stage and reason, the largest group first. */
export async function groupDeadLetters(
  ctx: CrmContext,
  input: z.input<typeof groupDeadLettersInput>,
): Promise<z.infer<typeof deadLetterGroupsSchema>> {
  requireScope(ctx, "admin");
  const { state, limit, ...filter } = parse(groupDeadLettersInput, input, "request");
  const { stage, kind, reason, created_at, id, event_type, replay_of } = deadLetters;
  const count = sql<number>`count(*)::int`;
  const groups = await inTransaction(ctx, (tx) =>
    tx
      .select({
        stage,
        kind,
        reason,
        count,
        came_back: sql<number>`count(${replay_of})::int`,
        event_types: sql<
          string[]
        >`coalesce((array_agg(distinct ${event_type}) filter (where ${event_type} is not null))[1:10], '{}')`,
        first_seen: sql<string>`min(${created_at})::text`,
        last_seen: sql<string>`max(${created_at})::text`,
        example_id: sql<string>`(array_agg(${id} order by ${created_at} desc, ${id} desc))[1]`,
      })
      .from(deadLetters)
      .where(and(whereFilter(ctx.principal.client_id, filter), eq(deadLetters.state, state)))
      .groupBy(stage, kind, reason)
      .orderBy(sql`count(*) desc`, stage, reason)
      .limit(limit),
  );
  return {
    groups: groups.map((group) => ({
      ...group,
      why: explainKind({ reason: group.reason, cameBack: group.came_back }),
      first_seen: isoTime(group.first_seen),
      last_seen: isoTime(group.last_seen),
    })),
  };
}
