import type { DayAggregate } from "./replace-day.ts";

/** Who was there. A machine that nobody logged in on is nobody. */
export const PERSON_DAYS: DayAggregate = {
  name: "person_days",
  select: (events) => `
    SELECT person, count(*) AS events, strftime(max("timestamp"), '%Y-%m-%dT%H:%M:%S.%gZ') AS last_at,
      arg_max(source, ("timestamp", event_id)) FILTER (WHERE source IS NOT NULL) AS last_source
    FROM ${events} WHERE NOT is_bot OR user_id IS NOT NULL GROUP BY person`,
};
