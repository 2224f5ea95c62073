import { randomUUID } from "node:crypto";
import { readdir, utimes } from "node:fs/promises";

import * as fc from "fast-check";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { dayIn } from "../../core/calendar-day.ts";
import { readCommerce } from "../../core/curated-event.ts";
import type { Enrichment } from "../../core/enriched-event.ts";
import { uuidOf } from "../../core/uuid.ts";
import type { Context } from "../../platform/context.ts";
import { compactPartition } from "../../platform/lake/compact.ts";
import type { Lake } from "../../platform/lake/lake.ts";
import { makeEnriched, toEntry } from "../../test/support/enriched-events.ts";
import { createEtlScene, type EtlScene } from "../../test/support/etl-scene.ts";
import { findClient, listPartitions } from "./book.ts";
import { type EtlDeps, query, type Row } from "./deps.ts";
import { createEventsView } from "./events-view.ts";
import { runEtl } from "./run-etl.ts";

const START = Date.parse("2026-11-01T00:00:00.000Z");
const MINUTE = 60_000;
const ZONE = "Asia/Kolkata";
let scene: EtlScene;
let ctx: Context;
let lake: Lake;
let deps: EtlDeps;
beforeAll(async () => {
  scene = await createEtlScene();
  ({ ctx, lake, deps } = scene);
});
afterAll(() => scene?.close());

/** An event as the test makes them up: ids repeat, in the same hour and in others. */
interface Made {
  id: number;
  minute: number;
  type: string;
  user: number | null;
  anon: number | null;
  session: number;
  product: number | null;
  cents: number;
  quantity: number;
  isBot: boolean;
}

/** Where it came from; the order in which they were acknowledged. */
type Placed = Made & { place: number };

const made: fc.Arbitrary<Made> = fc.record({
  id: fc.nat(60),
  minute: fc.nat(60 * 30),
  type: fc.constantFrom("product_view", "add_to_cart", "purchase", "page_view"),
  user: fc.option(fc.nat(3)),
  anon: fc.option(fc.nat(4)),
  session: fc.nat(6),
  product: fc.option(fc.nat(3)),
  cents: fc.nat(10_000),
  quantity: fc.integer({ min: 1, max: 4 }),
  isBot: fc.boolean(),
});

function propsOf({ product, cents, quantity }: Made): Record<string, unknown> {
  const line = product === null ? {} : { product_id: `p${product}`, category: `c${product % 2}` };
  const one = { ...line, price: cents / 100, quantity, currency: cents % 2 === 0 ? "INR" : "JPY" };
  return cents % 5 === 0 ? { items: [one, { product_id: "p0", category: "c0", price: 1 }], currency: "INR" } : one;
}

function eventOf(clientId: string, event: Made) {
  const { id, minute, type, user, anon, session } = event;
  return {
    event_id: uuidOf("etl", clientId, String(id)),
    timestamp: new Date(START + minute * MINUTE).toISOString(),
    user_id: user === null ? null : `u${user}`,
    anon_id: anon === null ? null : `a${anon}`,
    session_id: `s${session}`,
    event_type: type,
    props: propsOf(event),
  };
}

/** One batch of the stream: a file for each hour that it touches. */
async function append(clientId: string, events: readonly Placed[]): Promise<void> {
  const entries = events.map((event) => {
    const timestampMs = START + event.minute * MINUTE;
    const enrichment: Partial<Enrichment> = { is_bot: event.isBot };
    const options = { clientId, number: event.place, timestampMs, enrichment, event: eventOf(clientId, event) };
    return toEntry(makeEnriched(options), event.place);
  });
  await scene.append(entries);
}

async function compactAll(clientId: string): Promise<void> {
  for (const partition of await lake.listPartitions(clientId)) {
    for (const name of await readdir(lake.absolute(partition.path))) {
      await utimes(lake.absolute(`${partition.path}/${name}`), 0, 0);
    }
    const progress = { checkpoint: "9".repeat(60), ended: true };
    await compactPartition(
      {
        ...deps,
        readProgress: (shards) => Promise.resolve(new Map(shards.map((shard) => [shard, progress]))),
        writtenBeforeMs: Date.now(),
        onStep() {},
      },
      { client_id: clientId, partition: partition.path },
    );
  }
}

/** Each id once: the one that was acknowledged first. */
function keepFirst(events: readonly Placed[]): Placed[] {
  const first = new Map<number, Placed>();
  for (const event of events) if ((first.get(event.id)?.place ?? Infinity) > event.place) first.set(event.id, event);
  return [...first.values()];
}

function personOf(event: Made, kept: readonly Placed[]): string {
  if (event.user !== null) return `user:u${event.user}`;
  if (event.anon === null) return `session:s${event.session}`;
  const links = kept.filter((one) => one.anon === event.anon && one.user !== null);
  const [latest] = links.toSorted((a, b) => b.minute - a.minute || b.user! - a.user!);
  return latest === undefined ? `anon:a${event.anon}` : `user:u${latest.user}`;
}

async function readCurated(clientId: string): Promise<Row[]> {
  const client = await findClient(ctx.db, clientId);
  return deps.warehouse.use(async (connection) => {
    await createEventsView(lake, connection, { client, hours: await listPartitions(ctx.db, clientId) });
    return query(connection, "SELECT event_id, source_sequence, source_index, person, revenue_minor FROM events");
  });
}

function expectedCurated(clientId: string, kept: readonly Placed[]): unknown[] {
  return kept.map((event) => [
    uuidOf("etl", clientId, String(event.id)),
    event.place,
    personOf(event, kept),
    readCommerce(event.type, propsOf(event)).revenue_minor,
  ]);
}

const asText = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).toSorted();

function toTuple(row: Row): unknown[] {
  const place = Number(String(row["source_sequence"]).slice(1)) * 10 + Number(row["source_index"]);
  const revenue = row["revenue_minor"];
  return [row["event_id"], place, row["person"], revenue === null ? null : Number(revenue)];
}

/** Product figures of days, by hand. */
function expectedProducts(kept: readonly Placed[]): string[] {
  const sums = new Map<string, number[]>();
  for (const event of kept) {
    const facts = readCommerce(event.type, propsOf(event));
    const type = ["product_view", "add_to_cart", "purchase"].indexOf(event.type);
    if (type < 0) continue;
    const seen = new Set<string>();
    for (const line of facts.items ?? [facts]) {
      if (line.product_id === null) continue;
      const isPurchase = event.type === "purchase";
      const currency = isPurchase && line.revenue_minor !== null ? (facts.currency ?? "") : "";
      const key = `${dayIn(ZONE, START + event.minute * MINUTE)} ${line.product_id} ${currency}`;
      const sum = sums.get(key) ?? [0, 0, 0, 0, 0];
      if (!seen.has(key)) sum[type]!++;
      seen.add(key);
      if (isPurchase) sum[3]! += line.quantity ?? 1;
      if (isPurchase) sum[4]! += line.revenue_minor ?? 0;
      sums.set(key, sum);
    }
  }
  return [...sums].map(([key, sum]) => `${key} ${sum.join(" ")}`).toSorted();
}

async function readProducts(clientId: string): Promise<string[]> {
  const rows = await ctx.db.execute<Record<string, unknown>>(sql`
    select day::text, product_id, currency, views, add_to_cart, purchases, units::float8, revenue_minor
    from analytics.product_performance_daily where client_id = ${clientId}`);
  return rows
    .map(
      (r) =>
        `${r["day"]} ${r["product_id"]} ${r["currency"]} ${[r["views"], r["add_to_cart"], r["purchases"], r["units"], r["revenue_minor"]].join(" ")}`,
    )
    .toSorted();
}

describe("etl", () => {
  it("has each event once, whoever it belongs to, whatever came when, was compacted, or was run again", async () => {
    const batches = fc.array(fc.tuple(fc.array(made, { minLength: 1, maxLength: 60 }), fc.boolean(), fc.boolean()), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(batches, fc.boolean(), async (steps, isReversed) => {
        const client_id = await scene.addClient({ timezone: ZONE });
        const all: Placed[] = [];
        for (const [b, [events, isCompacted, isRun]] of steps.entries()) {
          // Batches of several shards need not come in the order in which they were acknowledged.
          const at = isReversed ? steps.length - b : b + 1;
          const placed = events.map((event, i) => ({ ...event, place: at * 10_000 + i }));
          await append(client_id, placed);
          all.push(...placed);
          if (isCompacted) await compactAll(client_id);
          if (isRun) await scene.run(client_id);
        }
        await scene.run(client_id);
        const kept = keepFirst(all);
        expect(asText((await readCurated(client_id)).map(toTuple))).toEqual(asText(expectedCurated(client_id, kept)));
        expect(await readProducts(client_id)).toEqual(expectedProducts(kept));
        expect(await runEtl(deps, { client_id, run_id: randomUUID() })).toEqual({
          staged: 0,
          curated: 0,
          days: 0,
          whole: 0,
        });
      }),
      { numRuns: 2, endOnFailure: true },
    );
  });
});
