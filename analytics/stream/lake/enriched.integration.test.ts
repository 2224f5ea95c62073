import { afterEach, expect, test } from "vitest";

import { runConsumer } from "../../../platform/stream/consumer.ts";
import { setUpEnrich } from "../../../test/support/enrich-setup.ts";
import { countLake, queryLake } from "../../../test/support/lake-reader.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { createLakeConsumer } from "./consumer.ts";

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const COLUMNS = `* EXCLUDE (timestamp, received_at, session_started_at, raw),
  strftime(timestamp, '%Y-%m-%dT%H:%M:%S.%gZ') AS timestamp, strftime(received_at, '%Y-%m-%dT%H:%M:%S.%gZ') AS received_at,
  strftime(session_started_at, '%Y-%m-%dT%H:%M:%S.%gZ') AS session_started_at, raw`;

test("everything the enricher finds out stands in the lake's columns", async () => {
  const { ctx, send, enrich, enriched } = await setUpEnrich(closing);
  await enrich();
  const lake = runConsumer(ctx, { ...createLakeConsumer(ctx), lingerMs: 0 });
  closing.push(() => lake.stop());
  const context = {
    ip: "2001:4860:4860::8888",
    ua: "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
    page: {
      url: "https://shop.example/sale?utm_source=Newsletter&utm_medium=EMAIL&utm_campaign=c&utm_term=t&utm_content=x",
    },
  };
  await send({ anon_id: "a-1", context }, { anon_id: "a-1", user_id: "u-1", event_type: "login" }, { user_id: "u-1" });
  await waitUntil(async () => (await countLake(ctx.config.LIVORA_LAKE)).rows === 3);
  const rows = await queryLake(ctx.config.LIVORA_LAKE, `SELECT ${COLUMNS} FROM events ORDER BY source_index`);
  const expected = (await enriched()).toSorted((a, b) => a.source.index - b.source.index);
  expect(rows).toHaveLength(3);
  for (const [i, event] of expected.entries()) {
    const { props, context: where, ...row } = rows[i] ?? {};
    expect(row).toEqual({
      event_id: event.event_id,
      timestamp: event.timestamp,
      received_at: event.received_at,
      client_id: event.client_id,
      user_id: event.event.user_id ?? null,
      anon_id: event.event.anon_id ?? null,
      session_id: event.event.session_id ?? null,
      event_type: event.event_type,
      person_key: event.person.key,
      stitched_user_id: event.person.user_id,
      session_started_at: event.session?.started_at ?? null,
      landing_page: event.session?.landing_page ?? null,
      session_source: event.session?.source ?? null,
      country: event.geo?.country ?? null,
      city: event.geo?.city ?? null,
      browser: event.ua?.browser ?? null,
      os: event.ua?.os ?? null,
      device: event.ua?.device ?? null,
      is_bot: event.is_bot,
      utm_source: event.utm?.source ?? null,
      utm_medium: event.utm?.medium ?? null,
      utm_campaign: event.utm?.campaign ?? null,
      utm_term: event.utm?.term ?? null,
      utm_content: event.utm?.content ?? null,
      request_id: event.request_id,
      source_shard: event.source.shard,
      source_sequence: event.source.sequence,
      source_index: event.source.index,
      lane: event.lane,
      raw: event.raw.toString(),
    });
    expect(JSON.parse(String(props ?? null))).toEqual(event.event.props ?? null);
    expect(JSON.parse(String(where ?? null))).toEqual(event.event.context ?? null);
  }
  expect(rows[0]).toMatchObject({
    country: "CA",
    device: "mobile",
    utm_term: "t",
    utm_content: "x",
    session_source: "newsletter",
  });
});
