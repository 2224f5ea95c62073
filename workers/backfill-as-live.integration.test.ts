import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { runEtl } from "../analytics/etl/run-etl.ts";
import { uuidOf } from "../core/uuid.ts";
import { startIngestServer } from "../ingest/server.ts";
import { AGGREGATES, readAggregates } from "../test/support/aggregates.ts";
import { type BackfillScene, CDNOW, createBackfillScene } from "../test/support/backfill-scene.ts";
import { queryLake } from "../test/support/lake-reader.ts";
import { waitUntil } from "../test/support/wait-until.ts";

let scene: BackfillScene;
beforeAll(async () => {
  scene = await createBackfillScene([undefined]);
  scene.workers[0]?.begin();
});
afterAll(() => scene?.close());

/** What does not say which way an event has come. */
const SAME = `* EXCLUDE (client_id, received_at, request_id, source_shard, source_sequence, source_index, raw)`;

/** A year ago: from a letter to the log-in to the purchase. */
function visitOf(i: number): object[] {
  const context = {
    page: { url: "https://shop.example/?utm_source=letter" },
    user_agent: "Mozilla/5.0 (X11) Firefox/140.0",
  };
  return ["page_view", "add_to_cart", "purchase"].map((event_type, n) => ({
    event_id: uuidOf("visit", String(i), event_type),
    timestamp: new Date(Date.UTC(2025, 10, 1 + i, 10, n)).toISOString(),
    session_id: `visit-${i}`,
    anon_id: `device-${i}`,
    ...(n === 2 && { user_id: `buyer-${i}` }),
    event_type,
    props: { product_id: `p${i}`, category: `c${i % 3}`, price: 19.9, currency: "EUR" },
    ...(n === 0 && { context }),
  }));
}

/** As the other client's traffic, to an edge of its own. */
async function postLive(events: readonly object[]): Promise<void> {
  const edge = await startIngestServer(scene.setup.ctx);
  const headers = {
    authorization: `Bearer ${scene.t.theirs.api_key}`,
    "x-client-id": scene.t.theirs.client_id,
    "content-type": "application/json",
  };
  const body = JSON.stringify(events);
  const response = await fetch(`http://127.0.0.1:${edge.port}/v1/events`, { method: "POST", headers, body });
  expect(response.status).toBe(202);
  await edge.close();
}

const readVisits = (client: string) =>
  queryLake(
    scene.setup.lake.root,
    `SELECT ${SAME} FROM events WHERE session_id LIKE 'visit-%' ORDER BY event_id`,
    client,
  );

/** Rows of the lake, of each of the two clients. */
async function countOf(condition: string): Promise<number[]> {
  const found = [scene.t.ours, scene.t.theirs].map(({ client_id }) =>
    queryLake(scene.setup.lake.root, `SELECT 1 FROM events WHERE ${condition}`, client_id),
  );
  return (await Promise.all(found)).map(({ length }) => length);
}

describe("history from a file", { timeout: 120_000 }, () => {
  test("makes the same rows of the lake as live traffic does", async () => {
    const visits = Array.from({ length: 12 }, (_, i) => visitOf(i)).flat();
    await postLive(visits.map((event) => ({ ...event, client_id: scene.t.theirs.client_id })));
    const lines = visits.map((event) => JSON.stringify(event)).join("\n");
    const id = await scene.send(lines, { format: { type: "jsonl" }, as_is: true });
    expect(await scene.finished(id)).toMatchObject({ accepted: visits.length, rejected: 0 });
    await waitUntil(async () => (await countOf("session_id LIKE 'visit-%'")).every((n) => n === visits.length));
    const [ours, theirs] = await Promise.all(
      [scene.t.ours, scene.t.theirs].map(({ client_id }) => readVisits(client_id)),
    );
    expect(ours).toEqual(theirs);
    expect(ours?.filter((row) => row["utm_source"] === "letter")).toHaveLength(12);
    expect(new Set(ours?.map((row) => row["session_source"]))).toEqual(new Set(["letter"]));
  });

  test("makes the same aggregates as live traffic does, also by way of a mapping", async () => {
    const lines = Array.from({ length: 90 }, (_, i) => {
      const day = new Date(Date.UTC(2001, 0, 1 + ((i * 7) % 20))).toISOString().slice(0, 10);
      return { customer: `old-${i % 40}`, day, cds: 1 + (i % 5), dollars: (5 + ((i * 73) % 900) / 10).toFixed(2) };
    });
    const live = lines.map(({ customer, day, cds, dollars }, i) => ({
      client_id: scene.t.theirs.client_id,
      event_id: uuidOf("old", String(i)),
      timestamp: `${day}T12:00:00Z`,
      user_id: customer,
      event_type: "purchase",
      props: { order_id: `cdnow-${i + 1}`, quantity: cds, revenue: Number(dollars), currency: "USD" },
    }));
    await postLive(live);
    const file = lines.map(
      ({ customer, day, cds, dollars }) => ` ${customer} ${day.replaceAll("-", "")} ${cds} ${dollars}`,
    );
    expect(await scene.finished(await scene.send(file.join("\n"), CDNOW))).toMatchObject({
      accepted: lines.length,
      rejected: 0,
    });
    await waitUntil(async () => (await countOf("user_id LIKE 'old-%'")).every((n) => n === lines.length), {
      timeoutMs: 60_000,
    });
    for (const { client_id } of [scene.t.ours, scene.t.theirs])
      await runEtl(scene.setup.deps, { client_id, run_id: randomUUID() });
    const both = [scene.t.ours, scene.t.theirs].map(({ client_id }) =>
      readAggregates(scene.setup.ctx.db, client_id, [2001, 2025]),
    );
    const [ours = {}, theirs] = await Promise.all(both);
    expect(ours).toEqual(theirs);
    const sizes = Object.entries(ours).map(([table, found]) => `${table} ${found.length > 0}`);
    expect(sizes).toEqual(Object.keys(AGGREGATES).map((table) => `${table} true`));
    const cents = lines.reduce((sum, { dollars }) => sum + Math.round(Number(dollars) * 100), 0);
    const bought = ours["purchases"]?.filter(({ order_id }) => String(order_id).startsWith("cdnow-"));
    expect(bought?.reduce((sum, { revenue_minor }) => sum + Number(revenue_minor), 0)).toBe(cents);
  });
});
