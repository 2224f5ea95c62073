import type { DailyAggregate } from "../aggregate.ts";

/** Who was there. A machine that nobody logged in on is nobody. */
export const personDays: DailyAggregate = {
  name: "person_days",
  version: 2,
  columns: {
    person: "text",
    events: "bigint",
    last_at: "timestamptz",
    last_source: "text",
    source: "text",
    country: "text",
    device: "text",
  },
  select: `
    SELECT * EXCLUDE (first), first.source AS source, first.country AS country, first.device AS device
    FROM (SELECT person, count(*) AS events, strftime(max("timestamp"), '%Y-%m-%dT%H:%M:%S.%gZ') AS last_at,
      arg_max(source, ("timestamp", event_id)) FILTER (WHERE source IS NOT NULL) AS last_source,
      min({'t': "timestamp", 'id': event_id, 'source': coalesce(source, ''), 'country': coalesce(country, ''),
        'device': coalesce(device, '')}) AS first
    FROM events WHERE NOT is_bot OR user_id IS NOT NULL GROUP BY person)`,
};
