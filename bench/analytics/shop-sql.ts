import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { quote } from "../../platform/warehouse/duckdb.ts";

const EVENTS_IN_A_VISIT = 8;
const EVENTS_OF_A_PERSON = 100;
const PRODUCTS = 5_000;

/** Chance that stays the same: a number in [0, of) for what is named. */
function draw(of: number, ...what: (string | number)[]): string {
  return `CAST(hash(${what.join(", ")}) % ${of} AS BIGINT)`;
}

/** SQL: (visit, beat, repeat, ms, hour), in order of hour. A visit has 1 to 15 events, 5 to 65 seconds from each other. */
export function visitsSql({ events, days, startMs }: { events: number; days: number; startMs: number }): string {
  const visits = Math.round(events / EVENTS_IN_A_VISIT);
  // Two dice make few visits at night and many at noon.
  const start = `${startMs} + ${draw(days, "visit", 1)} * ${DAY_MS} + ${draw(DAY_MS / 2, "visit", 2)} + ${draw(DAY_MS / 2, "visit", 3)}`;
  return `
    SELECT visit, beat, repeat_of AS repeat, ms, ms // ${HOUR_MS} AS hour FROM (
      SELECT visit, beat, ${start} + beat * 5000 + CAST(beat * (hash(visit, 4) % 60000) AS BIGINT) + ${draw(997, "visit", "beat", 5)} AS ms
      FROM range(${visits}) AS visits(visit), range(15) AS beats(beat) WHERE beat <= hash(visit, 6) % 15
    ), range(2) AS repeats(repeat_of)
    WHERE repeat_of = 0 OR hash(visit, beat, 7) % 200 = 0
    ORDER BY hour`;
}

/** SQL: an hour's rows as the lake's consumer writes them, from the table `beats`. */
export function rawRowsSql(of: { clientId: string; shard: string; hour: number; events: number }): string {
  const { clientId, shard, hour, events } = of;
  const people = Math.round(events / EVENTS_OF_A_PERSON);
  const dice = draw(1000, "visit", "beat", 8);
  const id = `md5(visit || ' ' || beat)`;
  const uuid = `left(${id}, 8) || '-' || substr(${id}, 9, 4) || '-4' || substr(${id}, 14, 3) || '-a' || substr(${id}, 18, 3) || '-' || substr(${id}, 21, 12)`;
  const isAboutProduct = "event_type IN ('product_view', 'add_to_cart', 'purchase')";
  return `
    SELECT event_id, "timestamp", "timestamp" + INTERVAL 300 MILLISECOND AS received_at, ${quote(clientId)} AS client_id,
      user_id, anon_id, session_id, event_type, props, context,
      CASE WHEN user_id IS NULL THEN 'anon:' || anon_id ELSE 'user:' || user_id END AS person_key, user_id AS stitched_user_id,
      "timestamp" AS session_started_at, '/' AS landing_page, source AS session_source, country, city,
      'Chrome' AS browser, 'Android' AS os, device, is_bot, utm_source, CASE WHEN utm_source IS NOT NULL THEN 'social' END AS utm_medium,
      NULL::VARCHAR AS utm_campaign, NULL::VARCHAR AS utm_term, NULL::VARCHAR AS utm_content,
      event_id AS request_id, ${quote(shard)} AS source_shard,
      printf('%056d', CAST(ms AS BIGINT) * 1000 + repeat * 977 + ${draw(977, "visit", 9)}) AS source_sequence,
      CAST(beat AS INTEGER) AS source_index, CAST(visit % 16 AS INTEGER) AS lane,
      '{"event_id":"' || event_id || '","client_id":"${clientId}","event_type":"' || event_type || '","timestamp":"' || strftime("timestamp", '%Y-%m-%dT%H:%M:%S.%gZ')
        || '","session_id":"' || session_id || '","anon_id":"' || anon_id || '","props":' || coalesce(props, 'null') || ',"context":' || context || '}' AS raw
    FROM (
      SELECT *, CASE WHEN ${isAboutProduct} THEN CAST('{"product_id":"p' || product || '","category":"c' || product % 40 || '","price":'
          || (100 + product * 37 % 9000) / 100 || ',"quantity":' || quantity || ',"currency":"INR"'
          || CASE WHEN event_type = 'purchase' THEN ',"order_id":"o' || visit || '-' || beat || '"' ELSE '' END || '}' AS JSON) END AS props,
        CAST('{"url":"https://shop.example/' || product || '","viewport":"412x915"}' AS JSON) AS context
      FROM (
        SELECT visit, beat, repeat, ms, ${uuid} AS event_id, make_timestamp(ms * 1000) AS "timestamp",
          CASE WHEN ${draw(10, "visit", 10)} < 3 THEN 'u' || person END AS user_id,
          'a' || person || '-' || ${draw(2, "visit", 11)} AS anon_id, 's' || left(md5('visit ' || visit), 20) AS session_id,
          CASE WHEN ${dice} < 400 THEN 'page_view' WHEN ${dice} < 750 THEN 'product_view' WHEN ${dice} < 850 THEN 'add_to_cart'
            WHEN ${dice} < 880 THEN 'purchase' WHEN ${dice} < 940 THEN 'search' ELSE 'scroll' END AS event_type,
          ['IN', 'IN', 'IN', 'US', 'DE', 'BR'][1 + ${draw(6, "person", 12)}] AS country,
          ['Pune', 'Mumbai', 'Delhi', 'Chennai'][1 + ${draw(4, "person", 13)}] AS city,
          ['mobile', 'mobile', 'desktop', 'tablet'][1 + ${draw(4, "visit", 14)}] AS device,
          ['insta', 'google', 'mail', NULL][1 + ${draw(4, "visit", 15)}] AS source,
          CASE WHEN ${draw(4, "visit", 15)} = 0 THEN 'insta' END AS utm_source,
          ${draw(100, "visit", 16)} = 0 AS is_bot,
          CAST(floor(${PRODUCTS} * pow(${draw(10_000, "visit", "beat", 17)} / 10000.0, 3)) AS BIGINT) AS product,
          1 + ${draw(3, "visit", "beat", 18)} AS quantity
        FROM (SELECT *, ${draw(people, "visit", 19)} AS person FROM beats WHERE hour = ${hour})
      )
    )
    ORDER BY source_sequence, source_index`;
}
