import type { DailyAggregate } from "../aggregate.ts";

/** Who was there. A machine that nobody logged in on is nobody. */
export const personDays: DailyAggregate = {
  name: "person_days",
  version: 1,
  columns: { person: "text", events: "bigint", last_at: "timestamptz", last_source: "text" },
  select: `
    SELECT person, count(*) AS events, strftime(max("timestamp"), '%Y-%m-%dT%H:%M:%S.%gZ') AS last_at,
      arg_max(source, ("timestamp", event_id)) FILTER (WHERE source IS NOT NULL) AS last_source
    FROM events WHERE NOT is_bot OR user_id IS NOT NULL GROUP BY person`,
};
