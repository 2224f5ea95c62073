import { describe, expect, it } from "vitest";

import type { SendOutcome } from "../contracts/journey.ts";
import { isAppError } from "../errors.ts";
import type { JourneyDefinition } from "./definition.ts";
import type { JourneyNode } from "./nodes/index.ts";
import { describeRun, type RunInput, type RunState, step, type Step } from "./reducer.ts";

const MINUTE = 60_000;
const T0 = Date.parse("2026-11-21T10:00:00.000Z");

function journey(nodes: Record<string, JourneyNode>): JourneyDefinition {
  return {
    trigger: { type: "event", event_type: "add_to_cart", where: [], key_prop: "cart_id" },
    audience: [],
    exit_on: [{ event_type: "purchase", where: [], reason: "purchase" }],
    re_entry: { rule: "after_exit" },
    start: Object.keys(nodes)[0]!,
    nodes,
  };
}

const delay = (minutes: number, next: string, apartMinutes = 0): JourneyNode => ({
  type: "delay",
  ms: minutes * MINUTE,
  since: "entry",
  apart_ms: apartMinutes * MINUTE,
  next,
});
const message = (next: string): JourneyNode => ({ type: "message", channel: "whatsapp", template: "reminder", next });
const exit: JourneyNode = { type: "exit", reason: "completed" };
const cart = journey({
  wait: delay(30, "remind"),
  remind: message("day"),
  day: delay(1440, "coupon", 60),
  coupon: { type: "message", channel: "email", template: "coupon", next: "end" },
  end: exit,
});

/** A run that is fed by hand. */
function start(definition: JourneyDefinition, atMs = T0) {
  let last: Step = { state: null as unknown as RunState, effects: [] };
  const feed = (input: RunInput, nowMs = last.state.now_ms) => {
    last = step(definition, last.state, input, nowMs);
    return last.effects[0];
  };
  feed(
    { type: "start", entry: { event_id: "e1", event_type: "add_to_cart", at: new Date(T0).toISOString(), key: "" } },
    atMs,
  );
  return {
    feed,
    at: (minutes: number, input: RunInput = { type: "timer" }) => feed(input, T0 + minutes * MINUTE),
    answer: (outcome: SendOutcome) => feed({ type: "sent", id: last.state.pending.id, outcome }),
    person: (facts: {
      entry?: object;
      attributes?: object;
      last_seen_at?: string;
      last_event_at?: Record<string, string>;
    }) =>
      feed({
        type: "person",
        id: last.state.pending.id,
        facts: { attributes: {}, last_seen_at: null, last_event_at: {}, ...facts } as never,
      }),
    event: (event_type: string, props = {}, event_id = event_type) =>
      feed({ type: "event", event: { event_id, event_type, at: "", props } }),
    get state() {
      return last.state;
    },
    get pending() {
      return last.state.pending;
    },
    get why() {
      return describeRun(definition, last.state).why;
    },
  };
}

const submitted: SendOutcome = { outcome: "submitted", delivery_id: "d" };

describe("a cart journey", () => {
  it("reminds after 30 minutes and sends the coupon a day after the entry", () => {
    const run = start(cart);
    expect(run.pending).toMatchObject({ type: "wait", until_ms: T0 + 30 * MINUTE });
    expect(run.at(29)).toBeUndefined();
    expect(run.at(30)).toMatchObject({ type: "send", channel: "whatsapp", template: "reminder", node_id: "remind" });
    expect(run.answer(submitted)).toMatchObject({ type: "wait", until_ms: T0 + 1440 * MINUTE });
    expect(run.at(1440)).toMatchObject({ type: "send", channel: "email", template: "coupon" });
    expect(run.answer(submitted)).toMatchObject({ type: "end", state: "completed", reason: "completed" });
  });

  it("is silent after a stop, whatever comes", () => {
    const run = start(cart);
    expect(run.at(10, { type: "stop", reason: "purchase" })).toMatchObject({
      type: "end",
      state: "stopped",
      reason: "purchase",
    });
    expect(run.at(31)).toBeUndefined();
    expect(run.feed({ type: "resume" })).toBeUndefined();
    expect(run.pending).toMatchObject({ type: "end", state: "stopped" });
  });

  it("ends when the ledger says that it may no longer send", () => {
    const run = start(cart);
    run.at(30);
    expect(run.answer({ outcome: "stopped", reason: "purchase" })).toMatchObject({
      type: "end",
      state: "stopped",
      reason: "purchase",
    });
  });

  it.each(["skipped", "failed", "unknown"] as const)("goes on after a message that was %s", (outcome) => {
    const run = start(cart);
    run.at(30);
    expect(run.answer({ outcome, delivery_id: "d", reason: "because" })).toMatchObject({
      type: "wait",
      node_id: "day",
    });
  });

  it("tries again when the limit allows", () => {
    const run = start(cart);
    run.at(30);
    run.answer({ outcome: "limited", reason: "quota", retry_at: new Date(T0 + 45 * MINUTE).toISOString() });
    expect(run.pending).toMatchObject({ type: "wait", until_ms: T0 + 45 * MINUTE });
    expect(run.why).toContain("quota");
    expect(run.at(45)).toMatchObject({ type: "send", node_id: "remind" });
  });

  it("keeps its place while the campaign is paused", () => {
    const run = start(cart);
    run.at(30);
    run.answer({ outcome: "held", reason: "campaign_paused" });
    expect(run.pending).toMatchObject({ type: "wait", until_ms: null, node_id: "remind" });
    expect(run.at(3000)).toBeUndefined();
    expect(run.feed({ type: "resume" })).toMatchObject({ type: "send", node_id: "remind" });
  });

  it("sends at once when the resumption overtakes the answer that it is held", () => {
    const run = start(cart);
    run.at(30);
    run.feed({ type: "resume" });
    expect(run.answer({ outcome: "held", reason: "campaign_paused" })).toMatchObject({
      type: "send",
      node_id: "remind",
    });
  });

  it("keeps messages apart after it was held for days", () => {
    const run = start(cart);
    run.at(30);
    run.answer({ outcome: "held", reason: "campaign_paused" });
    run.at(3000, { type: "resume" });
    expect(run.answer(submitted)).toMatchObject({ type: "wait", until_ms: T0 + 3060 * MINUTE });
  });

  it("sends at once what was due before a late start", () => {
    expect(start(cart, T0 + 40 * MINUTE).pending).toMatchObject({ type: "send", node_id: "remind" });
  });

  it("takes an old answer for no other message's", () => {
    const run = start(journey({ first: message("second"), second: message("end"), end: exit }));
    const { id } = run.pending;
    expect(run.answer(submitted)).toMatchObject({ type: "send", node_id: "second" });
    expect(run.feed({ type: "sent", id, outcome: submitted })).toBeUndefined();
    expect(run.pending).toMatchObject({ type: "send", node_id: "second" });
  });

  it("hears an answer once", () => {
    const run = start(cart);
    const send = run.at(30)!;
    run.answer(submitted);
    expect(run.feed({ type: "sent", id: send.id, outcome: { outcome: "held", reason: "x" } })).toBeUndefined();
    expect(run.pending).toMatchObject({ node_id: "day" });
  });
});

describe("wait-until", () => {
  const waiting = journey({
    wait: {
      type: "wait-until",
      events: [{ event_type: "reply", where: [{ path: "answer", op: "eq", value: "yes" }] }],
      conditions: [],
      timeout_ms: 60 * MINUTE,
      next: "thanks",
      on_timeout: "end",
    },
    thanks: message("end"),
    end: exit,
  });

  it("goes on with the event that was waited for", () => {
    const run = start(waiting);
    expect(run.event("reply", { answer: "no" })).toBeUndefined();
    expect(run.event("reply", { answer: "yes" })).toMatchObject({ type: "send", node_id: "thanks" });
  });

  it("takes the other way when the time is over", () => {
    const run = start(waiting);
    expect(run.at(60)).toMatchObject({ type: "end", state: "completed" });
  });

  it("hears an answer that came while the question was still being sent", () => {
    const run = start(journey({ ask: message("wait"), ...waiting.nodes }));
    run.event("reply", { answer: "yes" });
    expect(run.answer(submitted)).toMatchObject({ type: "send", node_id: "thanks" });
  });

  it("does not take one event for two answers", () => {
    const second = { ...waiting.nodes["wait"]!, next: "end" } as JourneyNode;
    const run = start(
      journey({ wait: { ...waiting.nodes["wait"]!, next: "second" } as JourneyNode, second, end: exit }),
    );
    run.event("reply", { answer: "yes" });
    expect(run.event("reply", { answer: "yes" })).toBeUndefined();
    expect(run.event("reply", { answer: "yes" }, "another")).toMatchObject({ type: "end" });
  });

  it("looks at its conditions on arrival, and again when the person does something", () => {
    const run = start(
      journey({
        wait: {
          type: "wait-until",
          events: [],
          conditions: [{ path: "attributes.vip", op: "eq", value: true }],
          timeout_ms: 60 * MINUTE,
          next: "thanks",
          on_timeout: "end",
        },
        thanks: message("end"),
        end: exit,
      }),
    );
    expect(run.pending.type).toBe("read_person");
    expect(run.person({})).toMatchObject({ type: "wait" });
    expect(run.event("page_view")).toMatchObject({ type: "wait", until_ms: T0 + MINUTE / 2 });
    expect(run.at(1)).toMatchObject({ type: "read_person" });
    expect(run.person({ attributes: { vip: true } })).toMatchObject({ type: "send" });
  });
});

describe("branch", () => {
  const branching = journey({
    which: {
      type: "branch",
      branches: [
        {
          when: [
            { path: "done.purchase", op: "ne", value: true },
            { path: "attributes.city", op: "eq", value: "Pune" },
          ],
          next: "remind",
        },
      ],
      otherwise: "end",
    },
    remind: message("end"),
    end: exit,
  });
  const inCart = { add_to_cart: "2026-11-21T10:00:00Z" };

  it("takes the first branch whose conditions hold", () => {
    const run = start(branching);
    expect(
      run.person({ attributes: { city: "Pune" }, last_event_at: { ...inCart, purchase: "2026-10-01T00:00:00Z" } }),
    ).toMatchObject({ type: "send" });
  });

  it("takes the other way where none holds", () => {
    const run = start(branching);
    expect(
      run.person({ attributes: { city: "Pune" }, last_event_at: { ...inCart, purchase: "2026-11-21T10:01:00Z" } }),
    ).toMatchObject({ type: "end" });
  });
});

describe("inactivity", () => {
  const away = journey({
    away: { type: "inactivity", after_ms: 60 * MINUTE, next: "wait" },
    wait: delay(10, "remind"),
    remind: message("end"),
    end: exit,
  });

  it("sleeps on while the person keeps coming back, and counts delays from the end of the wait", () => {
    const run = start(away);
    expect(run.at(60)).toMatchObject({ type: "read_person" });
    expect(run.person({ last_seen_at: new Date(T0 + 50 * MINUTE).toISOString() })).toMatchObject({
      type: "wait",
      until_ms: T0 + 110 * MINUTE,
    });
    run.at(110);
    expect(run.person({ last_seen_at: new Date(T0 + 50 * MINUTE).toISOString() })).toMatchObject({
      type: "wait",
      until_ms: T0 + 120 * MINUTE,
    });
    expect(run.at(120)).toMatchObject({ type: "send" });
  });
});

it("refuses a node of a type it does not know rather than passing it over", () => {
  const strange = journey({ odd: { type: "teleport", next: "end" } as never, end: exit });
  expect(() => start(strange)).toThrow(expect.toSatisfy((error) => isAppError(error, "invalid")));
});

it("gives each visit of a message its own name", () => {
  const run = start(
    journey({ remind: message("pause"), pause: { ...delay(10, "remind"), since: "here" } as JourneyNode, end: exit }),
  );
  expect(run.pending).toMatchObject({ node_id: "remind" });
  run.answer(submitted);
  expect(run.at(10)).toMatchObject({ type: "send", node_id: "remind~2" });
});
