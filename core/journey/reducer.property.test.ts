import * as fc from "fast-check";
import { expect, it } from "vitest";

import type { Condition } from "../condition.ts";
import type { SendOutcome } from "../contracts/journey.ts";
import type { JourneyDefinition } from "./definition.ts";
import type { JourneyNode } from "./nodes/index.ts";
import { describeRun, type Effect, type RunInput, type RunState, step } from "./reducer.ts";
import { validateJourney } from "./validate.ts";

const T0 = Date.parse("2026-11-21T10:00:00.000Z");
const EVENTS = ["click", "reply", "page_view"] as const;

/** Any node whose edges lead forward, or back from a delay: graphs that `validateJourney` lets through. */
function nodeArbitrary(at: number, size: number): fc.Arbitrary<JourneyNode> {
  const later = fc.integer({ min: at + 1, max: size }).map((to) => `n${to}`);
  const condition = fc.record({
    path: fc.constantFrom("attributes.vip", "done.click", "entry.gift"),
    op: fc.constant("eq" as const),
    value: fc.constant(true),
  });
  const events = fc.array(fc.record({ event_type: fc.constantFrom(...EVENTS), where: fc.constant<Condition[]>([]) }), {
    minLength: 1,
    maxLength: 2,
  });
  return fc.oneof(
    fc.record({
      type: fc.constant("message" as const),
      channel: fc.constantFrom("email" as const, "sms" as const),
      template: fc.constant("t"),
      next: later,
    }),
    fc.record({
      type: fc.constant("delay" as const),
      ms: fc.integer({ min: 0, max: 10_000 }),
      since: fc.constantFrom("entry" as const, "here" as const),
      apart_ms: fc.integer({ min: 0, max: 1000 }),
      next: later,
    }),
    fc.record({
      type: fc.constant("wait-until" as const),
      events,
      conditions: fc.array(condition, { maxLength: 1 }),
      timeout_ms: fc.integer({ min: 1, max: 10_000 }),
      next: later,
      on_timeout: later,
    }),
    fc.record({
      type: fc.constant("branch" as const),
      branches: fc.array(fc.record({ when: fc.tuple(condition), next: later }), { minLength: 1, maxLength: 2 }),
      otherwise: later,
    }),
    fc.record({
      type: fc.constant("inactivity" as const),
      after_ms: fc.integer({ min: 1000, max: 10_000 }),
      next: later,
    }),
  );
}

const journeyArbitrary: fc.Arbitrary<JourneyDefinition> = fc.integer({ min: 1, max: 6 }).chain((size) =>
  fc
    .record({
      nodes: fc.tuple(...Array.from({ length: size }, (_, at) => nodeArbitrary(at, size))),
      back: fc.option(fc.integer({ min: 0, max: size - 1 })),
    })
    .map(({ nodes, back }) => {
      const named: Record<string, JourneyNode> = Object.fromEntries(nodes.map((node, at) => [`n${at}`, node]));
      named[`n${size}`] = { type: "exit", reason: "completed" };
      if (back !== null) addCircle(named, size, back);
      return {
        trigger: { type: "inactivity", after_ms: 1 },
        audience: [],
        exit_on: [],
        re_entry: { rule: "once" },
        start: "n0",
        nodes: reachable(named),
      };
    }),
);

/** Through a branch that may end, and a delay, back to an earlier node. */
function addCircle(nodes: Record<string, JourneyNode>, size: number, back: number): void {
  nodes[`n${size}`] = {
    type: "branch",
    branches: [{ when: [{ path: "attributes.vip", op: "eq", value: true }], next: "end" }],
    otherwise: "again",
  };
  nodes["again"] = { type: "delay", ms: 1000, since: "here", apart_ms: 0, next: `n${back}` };
  nodes["end"] = { type: "exit", reason: "completed" };
}

function reachable(nodes: Record<string, JourneyNode>): Record<string, JourneyNode> {
  const faults = validateJourney({ start: "n0", nodes });
  const orphans = new Set(faults.map((fault) => fault.path.slice("/nodes/".length)));
  return Object.fromEntries(Object.entries(nodes).filter(([id]) => !orphans.has(id)));
}

const outcomeArbitrary: fc.Arbitrary<SendOutcome> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<SendOutcome>({ outcome: "submitted", delivery_id: "d" }) },
  fc.constantFrom<SendOutcome>(
    { outcome: "skipped", delivery_id: "d", reason: "no_address" },
    { outcome: "failed", delivery_id: "d", reason: "refused" },
    { outcome: "unknown", delivery_id: "d", reason: "timeout" },
    { outcome: "held", reason: "campaign_paused" },
    { outcome: "limited", reason: "quota", retry_at: new Date(T0 + 5000).toISOString() },
    { outcome: "limited", reason: "quota", retry_at: "soon" },
    { outcome: "stopped", reason: "purchase" },
  ),
);

/** An input as it reaches the run: `late` ids answer an effect before the present one. */
type Act = { input: Distribute<RunInput>; late: boolean; afterMs: number };
type Distribute<T> = T extends { id: string } ? Omit<T, "id"> : T;

const entry = { event_id: "e", event_type: "add_to_cart", at: new Date(T0).toISOString(), key: "" };
const actArbitrary = (withStop: boolean): fc.Arbitrary<Act> =>
  fc.record({
    late: fc.boolean(),
    afterMs: fc.integer({ min: -500, max: 6000 }),
    input: fc.oneof(
      fc.constant({ type: "start" as const, entry }),
      fc.constant({ type: "timer" as const }),
      fc.constant({ type: "resume" as const }),
      fc.record({
        type: fc.constant("event" as const),
        event: fc.record({
          event_id: fc.constantFrom("a", "b", "c"),
          event_type: fc.constantFrom(...EVENTS),
          at: fc.constant(entry.at),
          props: fc.constant({}),
        }),
      }),
      fc.record({ type: fc.constant("sent" as const), outcome: outcomeArbitrary }),
      fc.record({
        type: fc.constant("person" as const),
        facts: fc.record({
          entry: fc.constantFrom<Record<string, unknown>>({}, { gift: true }, { gift: false }),
          attributes: fc.record({ vip: fc.boolean() }),
          last_seen_at: fc.constantFrom(null, new Date(T0 + 3000).toISOString()),
          last_event_at: fc.constantFrom<Record<string, string>[]>({}, { click: entry.at }),
        }),
      }),
      ...(withStop ? [fc.constant({ type: "stop" as const, reason: "purchase" })] : []),
    ),
  });

interface Observed {
  states: RunState[];
  effects: { effect: Effect; afterStop: boolean; lastAnswer: SendOutcome | null }[];
}

/** Feeds a run whatever comes, keeping what it wanted and what it had last been told about a message. */
function play(definition: JourneyDefinition, acts: Act[]): Observed {
  let nowMs = T0;
  let { state, effects } = step(definition, null, { type: "start", entry }, nowMs);
  const observed: Observed = {
    states: [state],
    effects: effects.map((effect) => ({ effect, afterStop: false, lastAnswer: null })),
  };
  let stopped = false;
  for (const { input, late, afterMs } of acts) {
    nowMs += afterMs;
    const id = late ? String(state.effects - 1) : state.pending.id;
    const heard = input.type === "sent" && state.pending.type === "send" && state.pending.id === id;
    ({ state, effects } = step(
      definition,
      state,
      "outcome" in input || "facts" in input ? { ...input, id } : input,
      nowMs,
    ));
    observed.states.push(state);
    const lastAnswer = heard ? input.outcome : null;
    observed.effects.push(...effects.map((effect) => ({ effect, afterStop: stopped, lastAnswer })));
    stopped ||= input.type === "stop";
  }
  return observed;
}

const plays = fc.tuple(journeyArbitrary, fc.array(actArbitrary(true), { maxLength: 60 }));
const longPlays = fc.tuple(journeyArbitrary, fc.array(actArbitrary(false), { maxLength: 120 }));

it("makes only journeys that are valid", () => {
  fc.assert(fc.property(journeyArbitrary, (journey) => void expect(validateJourney(journey)).toEqual([])));
});

it("wants nothing more after a stop", () => {
  fc.assert(
    fc.property(plays, ([journey, acts]) => {
      expect(play(journey, acts).effects.filter((seen) => seen.afterStop)).toEqual([]);
    }),
  );
});

it("sends each message once, and again only where it was told that it did not leave", () => {
  fc.assert(
    fc.property(longPlays, ([journey, acts]) => {
      const settled = new Map<string, boolean>();
      let sending: string | null = null;
      for (const { effect, lastAnswer } of play(journey, acts).effects) {
        if (lastAnswer !== null && sending !== null)
          settled.set(sending, !["held", "limited"].includes(lastAnswer.outcome));
        if (effect.type !== "send") continue;
        expect(settled.get(effect.node_id)).not.toBe(true);
        // The second of two sends in a row must have been answered for, not merely repeated.
        expect(sending !== effect.node_id || settled.get(effect.node_id) === false).toBe(true);
        settled.delete(effect.node_id);
        sending = effect.node_id;
      }
    }),
    { numRuns: 3000 },
  );
});

it("never goes back in time, nor forgets its place over JSON", () => {
  fc.assert(
    fc.property(plays, ([journey, acts]) => {
      const { states } = play(journey, acts);
      for (const [i, state] of states.entries()) {
        expect(JSON.parse(JSON.stringify(state))).toEqual(state);
        expect(state.now_ms).toBeGreaterThanOrEqual(states[i - 1]?.now_ms ?? T0);
        expect(describeRun(journey, state).why).toBeTruthy();
      }
    }),
  );
});

it("decides the same from a state that has been through JSON", () => {
  fc.assert(
    fc.property(
      plays,
      fc.integer({ min: 0, max: 60 }),
      actArbitrary(true),
      ([journey, acts], at, { input, afterMs }) => {
        const { states } = play(journey, acts);
        const state = states[Math.min(at, states.length - 1)]!;
        const told = "outcome" in input || "facts" in input ? { ...input, id: state.pending.id } : input;
        const revived = JSON.parse(JSON.stringify(state)) as RunState;
        expect(step(journey, revived, told, state.now_ms + afterMs)).toEqual(
          step(journey, state, told, state.now_ms + afterMs),
        );
      },
    ),
  );
});

it("comes to an end for everyone who is answered", () => {
  fc.assert(
    fc.property(journeyArbitrary, (journey) => {
      let { state } = step(journey, null, { type: "start", entry }, T0);
      for (let i = 0; i < 200 && state.pending.type !== "end"; i++)
        ({ state } = step(journey, state, answer(state), nextTime(state)));
      expect(state.pending).toMatchObject({ type: "end", state: "completed" });
    }),
  );
});

function answer({ pending }: RunState): RunInput {
  if (pending.type === "send")
    return { type: "sent", id: pending.id, outcome: { outcome: "submitted", delivery_id: "d" } };
  if (pending.type !== "read_person") return { type: "timer" };
  return {
    type: "person",
    id: pending.id,
    facts: { attributes: { vip: true }, last_seen_at: null, last_event_at: {} },
  };
}

function nextTime({ pending, now_ms }: RunState): number {
  return pending.type === "wait" ? (pending.until_ms ?? now_ms) : now_ms;
}
