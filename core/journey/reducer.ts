import type { JourneyEntry, PersonFacts, RunEvent, RunStatus, SendOutcome } from "../contracts/journey.ts";
import { AppError } from "../errors.ts";
import type { JourneyDefinition } from "./definition.ts";
import { type AnyNodeKind, type JourneyNode, kindOf } from "./nodes/index.ts";
import type { Decision, NodeInput, Visit, Want } from "./nodes/kind.ts";

/** What a run wants next: exactly one thing at a time. `id` names it; only an answer that carries it is heard. */
export type Effect =
  | (Extract<Want, { type: "send" }> & { id: string; node_id: string })
  | (Extract<Want, { type: "read_person" | "wait" }> & { id: string; node_id: string })
  | { type: "end"; id: string; node_id: string; state: "completed" | "stopped" | "failed"; reason: string };

export type RunInput =
  | { type: "start"; entry: JourneyEntry }
  | { type: "event"; event: RunEvent }
  /** Time has passed; early, late and repeated ones do no harm. */
  | { type: "timer" }
  | { type: "sent"; id: string; outcome: SendOutcome }
  | { type: "person"; id: string; facts: PersonFacts }
  | { type: "stop"; reason: string }
  | { type: "resume" };

/** Where a run stands: JSON, carried over by continue-as-new. Times are epoch milliseconds and never go back. */
export interface RunState {
  node_id: string;
  /** How many nodes have been visited, this one included. */
  visit: number;
  /** How many effects there have been. */
  effects: number;
  now_ms: number;
  entry_at_ms: number;
  entered_node_at_ms: number;
  last_sent_at_ms: number | null;
  /** How often each message node has been visited: a second visit is a second message. */
  messages: Record<string, number>;
  /** Events that ended a wait, latest last: told again, they are not to end another. */
  consumed: string[];
  /** The latest nodes, for people. */
  trail: { node_id: string; at_ms: number }[];
  /** The node's own. */
  memo: unknown;
  pending: Effect;
}

export interface Step {
  state: RunState;
  /** What is newly wanted; the state's `pending` is what is wanted still. */
  effects: Effect[];
}

const MAX_VISITS = 10_000;
const MAX_TRAIL = 20;
const MAX_CONSUMED = 50;

/**
 * One step of a run: pure, so that the live run, a preview and a back-test decide alike. Throws `invalid` where the
 * definition is not one that `validateJourney` lets through, and for nothing else.
 */
export function step(definition: JourneyDefinition, before: RunState | null, input: RunInput, nowMs: number): Step {
  if (before === null) {
    if (input.type !== "start") throw new AppError("invalid", `a run begins with "start", not "${input.type}"`);
    return begin(definition, input.entry, nowMs);
  }
  if (before.pending.type === "end") return { state: before, effects: [] };
  const state = { ...before, now_ms: Math.max(before.now_ms, nowMs) };
  if (input.type === "stop") return finish(state, "stopped", input.reason);
  const heard = hear(state, input);
  if (heard === null) return { state, effects: [] };
  const node = nodeOf(definition, state.node_id);
  return decide(definition, state, kindOf(node).receive(node, heard, visitOf(state)));
}

function begin(definition: JourneyDefinition, entry: JourneyEntry, nowMs: number): Step {
  const entryAtMs = Date.parse(entry.at);
  if (Number.isNaN(entryAtMs)) throw new AppError("invalid", `the entry has no time: ${entry.at}`);
  const blank: RunState = {
    node_id: definition.start,
    visit: 0,
    effects: 0,
    now_ms: nowMs,
    entry_at_ms: entryAtMs,
    entered_node_at_ms: nowMs,
    last_sent_at_ms: null,
    messages: {},
    // What began the run is not what it waits for.
    consumed: [entry.event_id],
    trail: [],
    memo: null,
    pending: { type: "end", id: "0", node_id: definition.start, state: "failed", reason: "never_started" },
  };
  return enter(definition, blank, definition.start, []);
}

/** What of an input concerns the run as it stands; null where nothing does (an old answer, an early timer). */
function hear(state: RunState, input: Exclude<RunInput, { type: "stop" }>): NodeInput | null {
  const { pending } = state;
  switch (input.type) {
    case "start":
      return null;
    case "timer":
      return pending.type === "wait" && pending.until_ms !== null && state.now_ms >= pending.until_ms ? input : null;
    case "sent":
      return pending.type === "send" && pending.id === input.id ? { type: "sent", outcome: input.outcome } : null;
    case "person":
      return pending.type === "read_person" && pending.id === input.id ? { type: "person", facts: input.facts } : null;
    case "event":
      return state.consumed.includes(input.event.event_id) ? null : input;
    default:
      return input;
  }
}

function enter(definition: JourneyDefinition, from: RunState, nodeId: string, carried: RunEvent[]): Step {
  if (from.visit >= MAX_VISITS) return finish(from, "failed", "too_many_steps");
  const node = nodeOf(definition, nodeId);
  const state: RunState = {
    ...from,
    node_id: nodeId,
    visit: from.visit + 1,
    entered_node_at_ms: from.now_ms,
    trail: [...from.trail, { node_id: nodeId, at_ms: from.now_ms }].slice(-MAX_TRAIL),
    memo: null,
    messages: node.type === "message" ? countVisit(from.messages, nodeId) : from.messages,
  };
  const entered = decide(definition, state, kindOf(node).enter(node, visitOf(state)));
  return carried.length === 0 ? entered : tell(definition, entered, carried, nodeId);
}

/** Hands over events that came while the message before was under way, as long as the run stays where it went. */
function tell(definition: JourneyDefinition, entered: Step, events: RunEvent[], nodeId: string): Step {
  let { state, effects } = entered;
  for (const event of events) {
    if (state.node_id !== nodeId) break;
    const told = step(definition, state, { type: "event", event }, state.now_ms);
    state = told.state;
    effects = told.effects.length > 0 ? told.effects : effects;
  }
  return { state, effects };
}

function decide(definition: JourneyDefinition, state: RunState, decision: Decision<unknown>): Step {
  switch (decision.type) {
    case "keep":
      return { state: { ...state, memo: decision.memo }, effects: [] };
    case "end":
      return finish(state, decision.state, decision.reason);
    case "stay":
      return want({ ...state, memo: decision.memo }, { ...decision.want, ...nextEffect(state, decision.want) });
    case "go": {
      const left = {
        ...state,
        entry_at_ms: decision.entryAtMs ?? state.entry_at_ms,
        last_sent_at_ms: decision.sent === true ? state.now_ms : state.last_sent_at_ms,
        consumed: decision.consumed ? [...state.consumed, decision.consumed].slice(-MAX_CONSUMED) : state.consumed,
      };
      return enter(definition, left, decision.to, decision.carry ?? []);
    }
    default:
      throw new AppError("invalid", `unknown decision: ${JSON.stringify(decision satisfies never)}`);
  }
}

function finish(state: RunState, outcome: "completed" | "stopped" | "failed", reason: string): Step {
  const id = String(state.effects + 1);
  return want(state, { type: "end", id, node_id: state.node_id, state: outcome, reason });
}

function want(state: RunState, pending: Effect): Step {
  return { state: { ...state, effects: state.effects + 1, pending }, effects: [pending] };
}

/** A message's node id names the message for good (`reminder`, on a second visit `reminder~2`), so it is sent once. */
function nextEffect(state: RunState, wanted: Want): { id: string; node_id: string } {
  const times = wanted.type === "send" ? (state.messages[state.node_id] ?? 1) : 1;
  return { id: String(state.effects + 1), node_id: times > 1 ? `${state.node_id}~${times}` : state.node_id };
}

function countVisit(messages: RunState["messages"], nodeId: string): RunState["messages"] {
  return { ...messages, [nodeId]: (Object.hasOwn(messages, nodeId) ? messages[nodeId]! : 0) + 1 };
}

function visitOf(state: RunState): Visit<unknown> {
  return {
    nowMs: state.now_ms,
    entryAtMs: state.entry_at_ms,
    enteredAtMs: state.entered_node_at_ms,
    lastSentAtMs: state.last_sent_at_ms,
    memo: state.memo,
  };
}

function nodeOf(definition: JourneyDefinition, nodeId: string): JourneyNode {
  const node = Object.hasOwn(definition.nodes, nodeId) ? definition.nodes[nodeId] : undefined;
  if (node === undefined) throw new AppError("invalid", `the journey has no node "${nodeId}"`);
  return node;
}

/** Where a run stands and why, in words. */
export function describeRun(definition: JourneyDefinition, state: RunState): RunStatus {
  const node = nodeOf(definition, state.node_id);
  const kind: AnyNodeKind = kindOf(node);
  const { pending } = state;
  const untilMs = pending.type === "wait" ? pending.until_ms : null;
  return {
    node_id: state.node_id,
    node_type: node.type,
    why: pending.type === "end" ? `${pending.state}: ${pending.reason}` : kind.why(node, visitOf(state), untilMs),
    waiting_until: untilMs === null ? null : new Date(untilMs).toISOString(),
    state,
  };
}
