import { describe, expect, it } from "vitest";

import { SEED_CAMPAIGN } from "../test/support/seed-campaign.ts";
import { compileAudience } from "./audience.ts";
import { compileCampaign } from "./campaign.ts";
import { allHold } from "./condition.ts";
import type { PersonFacts } from "./contracts/journey.ts";
import { factsForConditions, withEvent } from "./journey/facts.ts";

function compile(source: unknown) {
  const compiled = compileCampaign(source);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  return compiled;
}

function faultsOf(source: unknown) {
  const compiled = compileCampaign(source);
  return compiled.ok ? [] : compiled.faults;
}

describe("the seeds' campaign", () => {
  it("compiles into delays and messages that end with a purchase", () => {
    const { definition, warnings } = compile(SEED_CAMPAIGN);
    expect(warnings).toEqual([]);
    expect(definition).toEqual({
      trigger: { type: "event", event_type: "add_to_cart", where: [], key_prop: "cart_id" },
      audience: [
        { path: "done.add_to_cart", op: "eq", value: true },
        { path: "done.purchase", op: "ne", value: true },
      ],
      exit_on: [{ event_type: "purchase", where: [], reason: "purchase" }],
      re_entry: { rule: "after_exit" },
      start: "delay-1",
      nodes: {
        "delay-1": { type: "delay", ms: 1_800_000, since: "entry", apart_ms: 0, next: "message-1" },
        "message-1": { type: "message", channel: "whatsapp", template: "reminder", next: "delay-2" },
        "delay-2": { type: "delay", ms: 86_400_000, since: "entry", apart_ms: 3_600_000, next: "message-2" },
        "message-2": { type: "message", channel: "email", template: "coupon", next: "exit" },
        exit: { type: "exit", reason: "completed" },
      },
    });
  });

  it("has the same hash in whatever order it is written", () => {
    const shuffled = Object.fromEntries(Object.entries(SEED_CAMPAIGN).toReversed());
    expect(compile(shuffled).hash).toBe(compile(SEED_CAMPAIGN).hash);
    expect(compile({ ...SEED_CAMPAIGN, trigger: "event:add_to_cart" }).hash).not.toBe(compile(SEED_CAMPAIGN).hash);
  });

  it.each([
    ["nobody has bought", {}, true],
    ["they bought last month", { purchase: "2026-10-20T10:00:00Z" }, true],
    ["they bought after they filled the cart", { purchase: "2026-11-21T10:05:00Z" }, false],
  ])("lets in when %s: %s → %s", (_when, lastEventAt, enters) => {
    const person: PersonFacts = { attributes: {}, last_seen_at: null, last_event_at: lastEventAt };
    const at = "2026-11-21T10:00:00Z";
    const facts = factsForConditions(withEvent(person, "add_to_cart", at), Date.parse(at));
    expect(allHold(compile(SEED_CAMPAIGN).definition.audience, facts)).toBe(enters);
  });
});

describe("other campaigns", () => {
  it("start with any event, with conditions and a key", () => {
    const trigger = {
      type: "event",
      event_type: "order_shipped",
      where: [{ path: "total", op: "gt", value: 100 }],
      key: "order_id",
    };
    const { definition } = compile({ ...SEED_CAMPAIGN, trigger, audience_query: undefined });
    expect(definition.trigger).toEqual({
      type: "event",
      event_type: "order_shipped",
      where: trigger.where,
      key_prop: "order_id",
    });
    expect(definition.exit_on).toEqual([]);
    expect(compile({ ...SEED_CAMPAIGN, trigger: "event:sign_up" }).definition.trigger).toMatchObject({
      event_type: "sign_up",
      key_prop: null,
    });
  });

  it("start with inactivity", () => {
    const { definition } = compile({
      ...SEED_CAMPAIGN,
      audience_query: undefined,
      trigger: { type: "inactivity", after_minutes: 1440 },
    });
    expect(definition.start).toBe("away");
    expect(definition.nodes["away"]).toEqual({ type: "inactivity", after_ms: 86_400_000, next: "delay-1" });
  });

  it("run in the order of their delays, and say so", () => {
    const { definition, warnings } = compile({ ...SEED_CAMPAIGN, schedule: SEED_CAMPAIGN.schedule.toReversed() });
    expect(definition).toEqual(compile(SEED_CAMPAIGN).definition);
    expect(warnings).toEqual([
      { path: "/schedule", reason: "is not in the order of its delays; it runs in that order" },
    ]);
  });

  it("may be given as a graph", () => {
    const journey = {
      start: "hello",
      nodes: { hello: { type: "message", channel: "push", template: "hi", next: "bye" }, bye: { type: "exit" } },
    };
    const { definition } = compile({
      campaign_id: "c",
      trigger: "event:login",
      exit_on: ["logout", "logout"],
      re_entry: { cool_down_minutes: 60 },
      journey,
    });
    expect(definition).toMatchObject({ start: "hello", re_entry: { rule: "cool_down", after_ms: 3_600_000 } });
    expect(definition.exit_on).toHaveLength(1);
  });

  it("take delays of seconds", () => {
    const { definition } = compile({ ...SEED_CAMPAIGN, schedule: [{ delay_minutes: 0.05, action: "sms:quick" }] });
    expect(definition.nodes["delay-1"]).toMatchObject({ ms: 3000 });
  });
});

describe("what is wrong is named with its place", () => {
  it.each([
    [{ ...SEED_CAMPAIGN, trigger: "full_moon" }, "/trigger"],
    [{ ...SEED_CAMPAIGN, schedule: [{ delay_minutes: -1, action: "email:x" }] }, "/schedule/0/delay_minutes"],
    [{ ...SEED_CAMPAIGN, schedule: [{ delay_minutes: 1, action: "fax:x" }] }, "/schedule/0/action"],
    [{ ...SEED_CAMPAIGN, schedule: [{ delay_minutes: 1, action: "email:{{ x }}" }] }, "/schedule/0/action"],
    [{ ...SEED_CAMPAIGN, schedule: [] }, "/schedule"],
    [{ ...SEED_CAMPAIGN, schedule: undefined }, "/schedule"],
    [{ ...SEED_CAMPAIGN, surprise: 1 }, ""],
    [
      { ...SEED_CAMPAIGN, schedule: undefined, journey: { start: "a", nodes: { b: { type: "exit" } } } },
      "/journey/start",
    ],
    ["nonsense", ""],
  ])("%j → %s", (source, path) => {
    expect(faultsOf(source).map((fault) => fault.path)).toContain(path);
  });
});

describe("audience_query", () => {
  it("reads comparisons of attributes", () => {
    expect(
      compileAudience(
        "SELECT user_id FROM segments WHERE city = 'Pune' AND age >= 18 and 5 < orders and tier in ('a', 'b') and vip = false and phone is not null",
      ),
    ).toEqual({
      ok: true,
      conditions: [
        { path: "attributes.city", op: "eq", value: "Pune" },
        { path: "attributes.age", op: "gte", value: 18 },
        { path: "attributes.orders", op: "gt", value: 5 },
        { path: "attributes.tier", op: "in", value: ["a", "b"] },
        { path: "attributes.vip", op: "ne", value: true },
        { path: "attributes.phone", op: "exists", value: true },
      ],
    });
  });

  it.each([
    ["viewed_product = true", "done.product_view"],
    ["product_viewed = true", "done.product_view"],
    ["purchased = true", "done.purchase"],
    ["searched = true", "done.search"],
    ["shipped = true", "attributes.shipped"],
  ])("%s asks for %s", (where, path) => {
    expect(compileAudience(`select user_id from segments where ${where}`)).toMatchObject({ conditions: [{ path }] });
  });

  it.each([
    ["select user_id from segments where a = 1 or b = 2", 'at character 36: "OR" is not understood'],
    ["select * from segments", "at character 8: must select user_id"],
    ["select user_id from contacts", "at character 21: must select from segments"],
    ["select user_id from segments limit 5", '"limit" is not understood'],
    ["select user_id from segments where a = (select 1)", "a literal is expected here"],
    ["select user_id from segments where lower(a) = 'x'", "at character 36: a column is expected here"],
    ["select user_id from segments where purchase = 3", "is an event: compare it with true or false"],
    ["select user_id from segments; drop table segments", "must be one select"],
    ["delete from segments", 'only select is understood, not "delete"'],
    ["select user_id frm segments where", "is not SQL"],
    ["select user_id from segments where a = b", "a literal is expected here, not ref"],
    ["", "is not SQL"],
  ])("refuses %s", (sql, reason) => {
    const audience = compileAudience(sql);
    expect(audience).toMatchObject({
      ok: false,
      faults: [{ path: "/audience_query", reason: expect.stringContaining(reason) }],
    });
  });
});
