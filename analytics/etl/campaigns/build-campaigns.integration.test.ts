import { randomUUID } from "node:crypto";

import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { dayIn } from "../../../core/calendar-day.ts";
import {
  attributePurchases,
  countArms,
  type PerformedMessage,
  type PerformedPurchase,
  type PerformedRun,
} from "../../../core/campaign-performance.ts";
import { HOUR_MS } from "../../../core/time.ts";
import type { Context } from "../../../platform/context.ts";
import { clients, deliveries, journeyRuns, purchases } from "../../../platform/postgres/schema.ts";
import { createTestContext } from "../../../test/support/context.ts";
import { replaceCampaigns } from "./build-campaigns.ts";

let ctx: Context;
beforeAll(() => {
  ctx = createTestContext();
});
afterAll(() => ctx.close());

const START = Date.parse("2026-11-20T00:00:00Z");
const WINDOWS = [
  { campaign_id: "cart", window_ms: 10 * HOUR_MS },
  { campaign_id: "winback", window_ms: 40 * HOUR_MS },
];
/** A device that turned out to be somebody's after its runs were over. */
const OWNERS = new Map([["anon:phone", "user:a"]]);
const ZONE = "Asia/Kolkata";
const iso = (ms: number) => new Date(ms).toISOString();

const hour = fc.integer({ min: 0, max: 90 });
const run = fc.record({
  campaign_id: fc.constantFrom("cart", "winback"),
  person_key: fc.constantFrom("user:a", "user:b", "anon:phone", "anon:c"),
  arm: fc.constantFrom(null, "holdout", "holdout", "treated", "message-2"),
  entered: hour,
  messages: fc.array(
    fc.record({
      channel: fc.constantFrom("email" as const, "sms" as const),
      state: fc.constantFrom(
        "submitted",
        "delivered",
        "delivered",
        "failed",
        "skipped",
        "unknown",
        "reserved",
        "submitting",
      ),
      sent: hour,
      isOpened: fc.boolean(),
      reason: fc.constantFrom("no_consent", "bounced"),
    }),
    { maxLength: 3 },
  ),
});
const purchase = fc.record({
  person: fc.constantFrom("user:a", "user:b", "anon:c", "user:d"),
  at: hour,
  currency: fc.constantFrom("INR", "USD", ""),
  minor: fc.integer({ min: -100, max: 50_000 }),
});
const scene = fc.record({
  runs: fc.array(run, { maxLength: 8 }),
  purchases: fc.array(purchase, { maxLength: 12 }),
});
type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never;

/** What was saved, as the reference takes it. */
interface Saved {
  runs: Map<string, PerformedRun>;
  messages: (PerformedMessage & { due: number; isOpened: boolean; reason: string | null })[];
  purchases: PerformedPurchase[];
}

const WENT_OUT = new Set(["submitted", "delivered", "failed"]);

async function save(clientId: string, { runs, purchases: bought }: Scene): Promise<Saved> {
  await ctx.db.insert(clients).values({ id: clientId, name: clientId, settings: { timezone: ZONE } });
  const saved: Saved = { runs: new Map(), messages: [], purchases: [] };
  // Apart, so that none began at the same moment as another.
  for (const [nth, { campaign_id, person_key, arm, entered, messages }] of runs.entries()) {
    const id = randomUUID();
    const entered_at = START + entered * HOUR_MS + nth;
    const ids = { client_id: clientId, campaign_id, version: 1, request_id: "r" };
    const identity = { person_key, person_keys: [person_key], workflow_id: id, entry_event_id: id };
    await ctx.db.insert(journeyRuns).values({
      id,
      ...ids,
      ...identity,
      arm,
      entered_at: iso(entered_at),
      state: "completed",
      started_at: iso(entered_at),
    });
    saved.runs.set(id, { id, campaign_id, arm, entered_at, person: OWNERS.get(person_key) ?? person_key });
    for (const [of, { channel, state, sent, isOpened, reason }] of messages.entries()) {
      const due = entered_at;
      const sent_at = WENT_OUT.has(state) ? START + sent * HOUR_MS : null;
      const message = { id: randomUUID(), run_id: id, campaign_id, channel, state, sent_at, due };
      const opened = isOpened && state === "delivered";
      const why = state === "failed" || state === "skipped" ? reason : null;
      saved.messages.push({ ...message, isOpened: opened, reason: why });
      await ctx.db.insert(deliveries).values({
        ...ids,
        id: message.id,
        run_id: id,
        node_id: `m${of}`,
        person_key,
        channel,
        template: "t",
        state: state as "submitted",
        reason: why,
        opened_at: opened ? iso(sent_at! + 1) : null,
        history: sent_at === null ? [] : [{ state: "submitted", at: iso(sent_at) }],
        created_at: iso(due),
      });
    }
  }
  for (const { person, at, currency, minor } of bought) {
    const event_id = randomUUID();
    const ms = START + at * HOUR_MS;
    const revenue_minor = currency === "" ? 0 : minor;
    saved.purchases.push({ event_id, person, at: ms, currency, revenue_minor });
    const row = { client_id: clientId, day: dayIn(ZONE, ms), event_id, person, order_id: null, at: iso(ms) };
    await ctx.db.insert(purchases).values({ ...row, currency, revenue_minor, source: null });
  }
  return saved;
}

const windowOf = (id: string) => WINDOWS.find((one) => one.campaign_id === id)!.window_ms;

function add(sums: Record<string, number>, key: string, value = 1): void {
  sums[key] = (sums[key] ?? 0) + value;
}

/** The reference's messages and members, summed up by day as `name of table|campaign|day|…|figure`. */
function sumByHand({ runs, messages, purchases: bought }: Saved): Record<string, number> {
  const sums: Record<string, number> = {};
  const attributed = attributePurchases(bought, messages, runs, windowOf);
  for (const { id, campaign_id, channel, state, due, sent_at, isOpened, reason } of messages) {
    const key = `messages|${campaign_id}|${dayIn(ZONE, due)}|${channel}`;
    const earned = bought.filter(({ event_id }) => attributed.get(event_id)?.id === id);
    add(sums, `${key}|messages`);
    if (sent_at !== null) add(sums, `${key}|sent`);
    if (isOpened) add(sums, `${key}|opened`);
    const named = { delivered: "delivered", failed: "failed", skipped: "skipped", unknown: "unknown" }[state];
    if (named) add(sums, `${key}|${named}`);
    if (state === "reserved" || state === "submitting") add(sums, `${key}|under_way`);
    if (reason !== null) add(sums, `${key}|${state}:${reason}`);
    for (const { currency, revenue_minor } of earned) {
      add(sums, `${key}|attributed_orders`);
      if (currency !== "") add(sums, `${key}|${currency}`, revenue_minor);
    }
  }
  for (const { campaign_id, arm, entered_at, isBuyer, paid } of countArms([...runs.values()], bought, windowOf)) {
    const key = `arms|${campaign_id}|${dayIn(ZONE, entered_at)}|${arm}`;
    add(sums, `${key}|persons`);
    if (isBuyer) add(sums, `${key}|buyers`);
    for (const [currency, minor] of Object.entries(paid)) {
      add(sums, `${key}|${currency}`, minor);
      add(sums, `${key}|${currency}²`, minor ** 2);
    }
  }
  return sums;
}

const COUNTS = [
  "messages", "sent", "delivered", "opened", "clicked", "failed", "unknown", "skipped", "under_way", "attributed_orders",
] as const; // prettier-ignore

async function readSums(clientId: string): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  const rows = await ctx.db.query.campaignPerformance.findMany({ where: (t, { eq }) => eq(t.client_id, clientId) });
  for (const row of rows) {
    const key = `messages|${row.campaign_id}|${row.day}|${row.channel}`;
    for (const name of COUNTS) if (row[name] > 0) add(sums, `${key}|${name}`, row[name]);
    for (const state of ["failed", "skipped"] as const) {
      for (const [reason, count] of Object.entries(row.reasons[state] ?? {}))
        add(sums, `${key}|${state}:${reason}`, count);
    }
    for (const [currency, minor] of Object.entries(row.attributed_revenue)) add(sums, `${key}|${currency}`, minor);
  }
  const arms = await ctx.db.query.campaignArms.findMany({ where: (t, { eq }) => eq(t.client_id, clientId) });
  for (const { campaign_id, day, arm, persons, buyers, revenue } of arms) {
    const key = `arms|${campaign_id}|${day}|${arm}`;
    add(sums, `${key}|persons`, persons);
    if (buyers > 0) add(sums, `${key}|buyers`, buyers);
    for (const [currency, { minor, squares }] of Object.entries(revenue)) {
      add(sums, `${key}|${currency}`, minor);
      add(sums, `${key}|${currency}²`, squares);
    }
  }
  return sums;
}

const replace = (clientId: string) =>
  ctx.db.transaction((tx) => replaceCampaigns(tx, clientId, { timeZone: ZONE, windows: WINDOWS, owners: OWNERS }));

test("messages, what they earned and what each arm bought are what counting by hand gives", async () => {
  let attributed = 0;
  await fc.assert(
    fc.asyncProperty(scene, async (drawn) => {
      const clientId = `campaigns-${randomUUID()}`;
      const saved = await save(clientId, drawn);
      const rows = await replace(clientId);
      // Once more changes nothing.
      expect(await replace(clientId)).toBe(rows);
      attributed += attributePurchases(saved.purchases, saved.messages, saved.runs, windowOf).size;
      expect(await readSums(clientId)).toEqual(sumByHand(saved));
    }),
    { numRuns: 25 },
  );
  expect(attributed).toBeGreaterThan(0);
});

test("the last message of any campaign has the purchase; a failed one has not, and a log-in afterwards carries it over", async () => {
  const clientId = `campaigns-${randomUUID()}`;
  const message = {
    channel: "email" as const,
    state: "delivered" as const,
    isOpened: false,
    reason: "bounced" as const,
  };
  const begun = { person_key: "anon:phone" as const, arm: null, entered: 0 };
  await save(clientId, {
    runs: [
      { ...begun, campaign_id: "winback", messages: [{ ...message, sent: 1 }] },
      { ...begun, campaign_id: "cart", messages: [{ ...message, sent: 5 }, { ...message, sent: 7, state: "failed" }] },
    ],
    purchases: [
      { person: "user:a", at: 8, currency: "INR", minor: 700 },
      // Beyond the cart's ten hours, within the other's forty.
      { person: "user:a", at: 20, currency: "INR", minor: 9_000 },
      { person: "user:a", at: 41, currency: "INR", minor: 100_000 },
    ],
  }); // prettier-ignore
  await replace(clientId);
  const rows = await ctx.db.query.campaignPerformance.findMany({ where: (t, { eq }) => eq(t.client_id, clientId) });
  expect(rows.map((row) => [row.campaign_id, row.attributed_orders, row.attributed_revenue]).toSorted()).toEqual([
    ["cart", 1, { INR: 700 }],
    ["winback", 1, { INR: 9_000 }],
  ]);
  expect(await ctx.db.query.campaignArms.findMany({ where: (t, { eq }) => eq(t.client_id, clientId) })).toEqual([]);
});
