import type { SendOutcome } from "../../core/contracts/journey.ts";
import type { JourneyDefinition } from "../../core/journey/definition.ts";
import type { JourneyNode } from "../../core/journey/nodes/index.ts";
import { describeRun, type RunInput, type RunState, step, type Step } from "../../core/journey/reducer.ts";

export const MINUTE = 60_000;
export const T0 = Date.parse("2026-11-21T10:00:00.000Z");

export function journey(nodes: Record<string, JourneyNode>): JourneyDefinition {
  return {
    trigger: { type: "event", event_type: "add_to_cart", where: [], key_prop: "cart_id" },
    audience: [],
    exit_on: [{ event_type: "purchase", where: [], reason: "purchase" }],
    re_entry: { rule: "after_exit" },
    start: Object.keys(nodes)[0]!,
    nodes,
  };
}

export const delay = (minutes: number, next: string, apartMinutes = 0): JourneyNode => ({
  type: "delay",
  ms: minutes * MINUTE,
  since: "entry",
  apart_ms: apartMinutes * MINUTE,
  next,
});
export const message = (next: string): JourneyNode => ({
  type: "message",
  channel: "whatsapp",
  template: "reminder",
  next,
});
export const exit: JourneyNode = { type: "exit", reason: "completed" };
export const submitted: SendOutcome = { outcome: "submitted", delivery_id: "d" };

/** A run that is fed by hand. */
export function startByHand(definition: JourneyDefinition, atMs = T0) {
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
