import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { compileCampaign } from "../../../core/campaign.ts";
import type { EnrichedEvent } from "../../../core/enriched-event.ts";
import { DAY_MS } from "../../../core/time.ts";
import { MAX_ENTRY_AGE_MS, matchEvents } from "./match.ts";
import { compileRules, type OpenCampaign, type Rules } from "./rules.ts";

const NOW = Date.parse("2026-11-21T10:00:00.000Z");

function campaign(source: object, paused = false): OpenCampaign {
  const schedule = [{ delay_minutes: 30, action: "email:reminder" }];
  const compiled = compileCampaign({ campaign_id: "c", trigger: "cart_abandonment", schedule, ...source });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  const { definition, hash } = compiled;
  const { trigger, re_entry } = definition;
  const campaign_id = compiled.campaign.campaign_id;
  return { client_id: "demo", campaign_id, version: 1, hash, definition, paused, trigger, re_entry };
}

const rulesOf = (...campaigns: OpenCampaign[]): Rules => compileRules(campaigns, campaigns);
const cart = rulesOf(campaign({}));
let number = 0;

function event(event_type: string, keys: string[], props: object = {}, more: object = {}): EnrichedEvent {
  number += 1;
  const person = { key: keys[0]!, user_id: null, anon_id: null, keys };
  const timestamp = new Date(NOW - 1000).toISOString();
  const event_id = `e${number}`;
  return {
    client_id: "demo",
    event_id,
    event_type,
    timestamp,
    request_id: "r",
    person,
    event: { props },
    ...more,
  } as EnrichedEvent;
}

describe("who enters", () => {
  it("is named by person, campaign and cart", () => {
    const { entries } = matchEvents([event("add_to_cart", ["user:a"], { cart_id: "k1" })], cart, NOW);
    expect(entries).toMatchObject([{ entry_key: "k1", person_key: "user:a", stopped: null }]);
    expect(entries[0]!.workflow_id).toMatch(/^j:demo:c:[\w-]{22}:[\w-]{22}$/);
    expect(entries[0]!.workflow_id).not.toContain("user");
  });

  it("enters once for a person and cart, and once for another cart", () => {
    const adds = ["k1", "k1", "k2"].map((cart_id) => event("add_to_cart", ["anon:x", "user:a"], { cart_id }));
    expect(matchEvents(adds, cart, NOW).entries.map((entry) => entry.entry_key)).toEqual(["k1", "k2"]);
  });

  it.each([
    ["of another client", event("add_to_cart", ["user:a"], {}, { client_id: "other" })],
    ["of another type", event("page_view", ["user:a"])],
  ])("does not mind events %s", (_, other) => {
    expect(matchEvents([other], cart, NOW)).toEqual({ stops: [], tells: [], entries: [], refused: [] });
  });

  it("is refused for a reason", () => {
    const old = new Date(NOW - MAX_ENTRY_AGE_MS - 1).toISOString();
    const reasonOf = (rules: Rules, ...events: EnrichedEvent[]) =>
      matchEvents(events, rules, NOW).refused.map(({ reason }) => reason);
    expect(reasonOf(cart, event("add_to_cart", ["user:a"], {}, { timestamp: old }))).toEqual(["stale"]);
    expect(reasonOf(rulesOf(campaign({}, true)), event("add_to_cart", ["user:a"]))).toEqual(["paused"]);
    const trigger = { type: "event", event_type: "order", where: [{ path: "total", op: "gt", value: 10 }] };
    expect(reasonOf(rulesOf(campaign({ trigger })), event("order", ["user:a"], { total: 5 }))).toEqual(["where"]);
  });

  it("does not come back to life by what our own messages report", () => {
    const away = rulesOf(campaign({ trigger: { type: "inactivity", after_minutes: 5 } }));
    const events = [event("campaign_delivery", ["user:a"]), event("page_view", ["user:b"])];
    expect(matchEvents(events, away, NOW).entries.map((entry) => entry.person_key)).toEqual(["user:b"]);
  });
});

describe("history out of a file", () => {
  const backfill_id = "b-1";

  it("starts no journey, however recent it is", () => {
    const away = campaign({ campaign_id: "away", trigger: { type: "inactivity", after_minutes: 5 } });
    const events = [event("add_to_cart", ["user:a"], {}, { backfill_id })];
    const { entries, refused } = matchEvents(events, rulesOf(campaign({}), away), NOW);
    expect(entries).toEqual([]);
    expect(refused.map(({ reason }) => reason)).toEqual(["backfill", "backfill"]);
  });

  it("answers nobody who waits", () => {
    const wait = {
      type: "wait-until",
      events: [{ event_type: "reply" }],
      timeout_ms: 1,
      next: "end",
      on_timeout: "end",
    };
    const journey = { start: "wait", nodes: { wait, end: { type: "exit" } } };
    const rules = rulesOf(campaign({ schedule: undefined, journey }));
    const tells = (more: object) => matchEvents([event("reply", ["user:a"], {}, more)], rules, NOW).tells.length;
    expect([tells({}), tells({ backfill_id })]).toEqual([1, 0]);
  });

  it("ends what it would have ended: a purchase is one, wherever it is heard of", () => {
    const batch = [event("add_to_cart", ["user:a"]), event("purchase", ["user:a"], {}, { backfill_id })];
    const { stops, entries } = matchEvents(batch, cart, NOW);
    expect([stops.length, entries[0]?.stopped?.reason]).toEqual([1, "purchase"]);
  });
});

it("a purchase of last year ends no journey of today, also of the same batch", () => {
  const timestamp = new Date(NOW - 365 * DAY_MS).toISOString();
  const batch = [event("add_to_cart", ["user:a"]), event("purchase", ["user:a"], {}, { timestamp })];
  expect(matchEvents(batch, cart, NOW).entries).toMatchObject([{ stopped: null }]);
});

it("ends under all keys of a person what began under one", () => {
  const batch = [event("add_to_cart", ["anon:x"]), event("purchase", ["user:a", "anon:x"])];
  const { stops, entries } = matchEvents(batch, cart, NOW);
  expect(stops).toMatchObject([{ keys: ["user:a", "anon:x"], of: ["c:1"], reason: "purchase" }]);
  expect(entries).toMatchObject([{ stopped: { reason: "purchase", event_id: batch[1]!.event_id } }]);
});

it("passes on of an event only what is asked for", () => {
  const wait = {
    type: "wait-until",
    events: [{ event_type: "reply", where: [{ path: "a.b", value: 1 }] }],
    timeout_ms: 1,
    next: "end",
    on_timeout: "end",
  };
  const rules = rulesOf(
    campaign({ schedule: undefined, journey: { start: "wait", nodes: { wait, end: { type: "exit" } } } }),
  );
  const { tells } = matchEvents([event("reply", ["user:a"], { a: { b: 1 }, secret: "x" })], rules, NOW);
  expect(tells).toMatchObject([{ of: ["c:1"], event: { props: { a: { b: 1 } } } }]);
  expect(JSON.stringify(tells)).not.toContain("secret");
});

it("judges a batch as it would the same events one by one", () => {
  const person = fc.constantFrom<string[][]>(["user:a", "anon:x"], ["anon:x"], ["user:b"]);
  const events = fc.array(fc.tuple(fc.constantFrom("add_to_cart", "purchase", "page_view"), person), { maxLength: 20 });
  fc.assert(
    fc.property(events, (pairs) => {
      const batch = pairs.map(([type, keys]) => event(type, keys));
      const open = matchEvents(batch, cart, NOW).entries.filter((entry) => entry.stopped === null);
      expect(open.map((entry) => entry.event_id)).toEqual(openOneByOne(batch));
    }),
  );
});

/** Ids of the events whose runs are open in the end, by the book. */
function openOneByOne(batch: readonly EnrichedEvent[]): string[] {
  let open: EnrichedEvent[] = [];
  for (const event of batch) {
    if (event.event_type === "purchase") open = open.filter((run) => !isSame(run, event));
    if (event.event_type === "add_to_cart" && !open.some((run) => isSame(run, event))) open.push(event);
  }
  return open.map((event) => event.event_id);
}

function isSame(a: EnrichedEvent, b: EnrichedEvent): boolean {
  return a.person.keys.some((key) => b.person.keys.includes(key));
}
