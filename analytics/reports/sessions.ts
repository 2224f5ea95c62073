import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";

import type { Transaction } from "../../platform/postgres/tenant.ts";
import { readAsOf } from "./as-of.ts";
import { type Days, daysInput, daysShape, readDays } from "./days.ts";
import { decodePlace, encodePlace } from "./place-cursor.ts";
import { share, shareSchema } from "./share.ts";

const INTERVALS = ["day", "week", "month"] as const;
const GROUPS = ["source", "country", "device"] as const;
const NEVER = "0001-01-01";

export const sessionsInput = z.object({
  ...daysInput,
  interval: z.enum(INTERVALS).default("day").meta({ description: "Weeks begin on Monday." }),
  group_by: z.enum(GROUPS).optional().meta({ description: "Of a visit's first event." }),
  bots: z
    .enum(["exclude", "include"])
    .default("exclude")
    .meta({ description: "Whether machines' visits are visits; visitors are people either way." }),
  limit: z.coerce.number().int().min(1).max(1_000).default(400).meta({ description: "How many points at the most." }),
  cursor: z.string().min(1).max(2_048).optional().meta({ description: "`next_cursor` of the page before." }),
});

const count = z.int();
const figures = {
  traffic: z.object({
    sessions: count.meta({ description: "Visits; one that goes on past midnight counts on both days." }),
    events: count,
    visitors: count.meta({ description: "Persons, each once." }),
  }),
  engagement: z.object({
    engaged: count.meta({ description: "Visits with two events or more." }),
    viewed: count.meta({ description: "In which a product was looked at." }),
    carted: count.meta({ description: "In which one was put into a cart." }),
    engagement_rate: shareSchema,
    events_per_session: shareSchema,
    average_duration_ms: shareSchema.meta({ description: "From first to last event." }),
  }),
  conversion: z.object({
    purchased: count.meta({ description: "Visits in which something was bought." }),
    purchases: count,
    conversion_rate: shareSchema.meta({ description: "`purchased` of `sessions`." }),
  }),
  retention: z.object({
    new_visitors: count.meta({ description: "Who had never been there before." }),
    returning_visitors: count,
    returning_rate: shareSchema,
  }),
};

export const sessionsSchema = z
  .object({
    ...daysShape,
    interval: z.enum(INTERVALS),
    group_by: z.enum(GROUPS).nullable(),
    totals: z.object(figures).meta({ description: "Of all days and groups." }),
    points: z
      .array(
        z.object({
          start: z.iso.date().meta({ description: "The first of its days that were asked for." }),
          key: z.string().nullable().meta({ description: "Of `group_by`; null: not known, or not asked for." }),
          ...figures,
        }),
      )
      .meta({ description: "Oldest first, then by key. Where nobody was there is no point." }),
    next_cursor: z.string().nullable(),
    as_of: z.iso.datetime().nullable(),
  })
  .meta({ id: "Sessions" });

export type SessionsReport = z.infer<typeof sessionsSchema>;
type Figures = Pick<SessionsReport["points"][number], keyof typeof figures>;

/** Visits from where they came from to what came of them, and who came back. */
export async function reportSessions(
  tx: Transaction,
  clientId: string,
  { start, end, interval, group_by, bots, limit, cursor }: z.output<typeof sessionsInput>,
): Promise<SessionsReport> {
  const days = await readDays(tx, clientId, { start, end }, Date.now());
  const after = cursor === undefined ? undefined : decodePlace(cursor, "string");
  const query = { clientId, days, hasBots: bots === "include" };
  const key = group_by === undefined ? sql`''` : sql.identifier(group_by);
  const first = sql`greatest(date_trunc(${interval}::text, day::timestamp)::date, ${days.start}::date)`;
  const rows = await tx.execute<Sums>(sql`
    select * from (${sumsSql(query, first, key)}) points
    ${after === undefined ? sql`` : sql`where (first, key) > (${after.place}, ${after.key})`}
    order by first, key limit ${limit + 1}`);
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const [totals] = await tx.execute<Sums>(sumsSql(query, sql`${days.start}::date`, sql`''`));
  return {
    start: days.start,
    end: days.end,
    time_zone: days.timeZone,
    interval,
    group_by: group_by ?? null,
    totals: viewFigures(totals ?? NONE),
    points: shown.map((row) => ({ start: row.first, key: row.key === "" ? null : row.key, ...viewFigures(row) })),
    next_cursor: rows.length > limit && last ? encodePlace({ place: last.first, key: last.key }) : null,
    as_of: await readAsOf(tx, clientId),
  };
}

type Sums = Record<(typeof SUMS)[number] | "visitors" | "new_visitors", number> & { first: string; key: string };
const SUMS = ["sessions", "engaged", "viewed", "carted", "purchased", "events", "purchases", "duration_ms"] as const;
const NONE = Object.fromEntries([...SUMS, "visitors", "new_visitors"].map((name) => [name, 0])) as unknown as Sums;

interface Query {
  clientId: string;
  days: Days;
  hasBots: boolean;
}

/** By the first day of the period and a key. Who was there in a period is counted where they had not been there before within it. */
function sumsSql({ clientId, days, hasBots }: Query, first: SQL, key: ReturnType<typeof sql.identifier> | SQL): SQL {
  const range = sql`client_id = ${clientId} and day >= ${days.start} and day < ${days.end}`;
  const sums = sql.join(
    SUMS.map((name) => sql`sum(${sql.identifier(name)})::float8 as ${sql.identifier(name)}`),
    sql`, `,
  );
  const shown = sql.join(
    [...SUMS, "visitors", "new_visitors"].map(
      (name) => sql`coalesce(${sql.identifier(name)}, 0) as ${sql.identifier(name)}`,
    ),
    sql`, `,
  );
  return sql`
    select first::text as first, key, ${shown} from (
      select ${first} as first, ${key} as key, ${sums} from analytics.sessions_daily
      where ${range} ${hasBots ? sql`` : sql`and not is_bot`} group by 1, 2
    ) visits full join (
      select first, key, sum(persons)::float8 as visitors,
        coalesce(sum(persons) filter (where previous_day = ${NEVER}), 0)::float8 as new_visitors
      from (select ${first} as first, ${key} as key, previous_day, persons from analytics.visitors_daily where ${range}) seen
      where previous_day < first group by 1, 2
    ) visitors using (first, key)`;
}

function viewFigures(sums: Sums): Figures {
  const { sessions, engaged, events, purchased, visitors, new_visitors } = sums;
  const returning = visitors - new_visitors;
  return {
    traffic: { sessions, events, visitors },
    engagement: {
      engaged,
      viewed: sums.viewed,
      carted: sums.carted,
      engagement_rate: share(engaged, sessions),
      events_per_session: share(events, sessions),
      average_duration_ms: share(sums.duration_ms, sessions),
    },
    conversion: { purchased, purchases: sums.purchases, conversion_rate: share(purchased, sessions) },
    retention: { new_visitors, returning_visitors: returning, returning_rate: share(returning, visitors) },
  };
}
