import { allHold, lookUp } from "../condition.ts";
import type { PersonFacts, RunEvent, SendOutcome } from "../contracts/journey.ts";
import { AppError } from "../errors.ts";
import { addToProfile, factsOf, type Profile } from "../profile.ts";
import type { Channel } from "../message.ts";
import type { JourneyDefinition } from "./definition.ts";
import { entryKeyOf, isEntry, isLookedAt } from "./entry.ts";
import { factsForConditions } from "./facts.ts";
import { kindOf } from "./nodes/index.ts";
import { describeRun, type Effect, type RunInput, type RunState, step } from "./reducer.ts";

/** Something that the person does. */
export interface RehearsedEvent {
  event_type: string;
  props?: Record<string, unknown> | undefined;
  country?: string | null;
  device?: string | null;
}

export interface RehearsedMessage {
  at_ms: number;
  /** Of the runs, counted from 0. */
  run: number;
  node_id: string;
  channel: Channel;
  template: string;
  outcome: SendOutcome;
}

/** One time through the journey. Times are epoch milliseconds. */
export interface RehearsedRun {
  key: string;
  entered_at_ms: number;
  ended_at_ms: number | null;
  state: "active" | "completed" | "stopped" | "failed";
  /** Why it has ended. */
  reason: string | null;
  /** Where it stands, or stood at its end, in words. */
  why: string;
  waiting_until_ms: number | null;
  trail: { node_id: string; at_ms: number }[];
}

/** Somebody who did what begins the journey, and did not enter. */
export interface RehearsedRefusal {
  at_ms: number;
  event_type: string;
  reason: "where" | "audience" | "open" | "re_entry";
}

export interface RehearsalOptions {
  /** When it begins, epoch milliseconds. */
  at_ms: number;
  /** What is known of the person before. */
  attributes?: Readonly<Record<string, string | number | boolean>>;
  /** What becomes of a message; all are taken where nothing is said. */
  deliver?(message: Omit<RehearsedMessage, "outcome">): SendOutcome;
  /** More decisions than this throw `invalid`: a circle of a second turns long in a year. */
  maxDecisions?: number;
}

/** One person and one journey in a time of its own. */
export interface Rehearsal {
  readonly nowMs: number;
  readonly runs: readonly RehearsedRun[];
  readonly messages: readonly RehearsedMessage[];
  readonly refusals: readonly RehearsedRefusal[];
  /** The person does something, now. */
  tell(event: RehearsedEvent): void;
  /** The person did something, now, and the journey was not there yet: only what is known of them changes. */
  learn(event: RehearsedEvent): void;
  /** Lets time pass, and happen what is due. Throws `invalid` where it would go back. */
  advanceTo(ms: number): void;
}

interface Run {
  index: number;
  key: string;
  enteredAtMs: number;
  entryProps: Record<string, unknown>;
  state: RunState;
  endedAtMs: number | null;
  /** All of it: a run under way keeps only the latest. */
  trail: RehearsedRun["trail"];
}

/**
 * Plays a journey for one person by the rules that hold live: the trigger, audience and re-entry at the door, exit rules, what runs wait
 * for, and the same reducer. Pure, and as fast as the decisions are. What only the world knows is left out: quotas, consent
 * and quiet hours are `deliver`'s to answer.
 */
export function createRehearsal(definition: JourneyDefinition, options: RehearsalOptions): Rehearsal {
  const deliver = options.deliver ?? (() => ({ outcome: "submitted", delivery_id: "rehearsed" }) as const);
  const { maxDecisions = Number.POSITIVE_INFINITY } = options;
  const runs: Run[] = [];
  const messages: RehearsedMessage[] = [];
  const refusals: RehearsedRefusal[] = [];
  let profile = profileOf(options);
  let nowMs = options.at_ms;
  let events = 0;
  let decisions = 0;

  const isOpen = (run: Run) => run.endedAtMs === null;

  function feed(run: Run, input: RunInput): void {
    apply(run, step(definition, run.state, input, nowMs).state);
    for (let answer = answerTo(run); answer; answer = answerTo(run)) {
      apply(run, step(definition, run.state, answer, nowMs).state);
    }
  }

  function apply(run: Run, state: RunState): void {
    if (++decisions > maxDecisions) throw new AppError("invalid", `takes more than ${maxDecisions} decisions`);
    const news = state.visit - run.state.visit;
    if (news > 0) run.trail.push(...state.trail.slice(-news));
    run.state = state;
    if (state.pending.type === "end") run.endedAtMs ??= nowMs;
  }

  /** What is wanted and known at once; undefined where the run waits for time or people, or is over. */
  function answerTo({ index, state, entryProps }: Run): RunInput | undefined {
    const { pending } = state;
    if (pending.type === "send") {
      const { node_id, channel, template } = pending;
      const message = { at_ms: nowMs, run: index, node_id, channel, template };
      const outcome = deliver(message);
      messages.push({ ...message, outcome });
      return { type: "sent", id: pending.id, outcome };
    }
    if (pending.type === "read_person") return { type: "person", id: pending.id, facts: factsFor(pending, entryProps) };
    return undefined;
  }

  function factsFor(
    { entry_paths = [] }: Extract<Effect, { type: "read_person" }>,
    props: Record<string, unknown>,
  ): PersonFacts {
    const found = entry_paths.flatMap((path) => {
      const value = lookUp(props, path);
      return value === undefined ? [] : [[path, value]];
    });
    return { ...factsOf(profile), ...(entry_paths.length > 0 && { entry: Object.fromEntries(found) }) };
  }

  function enter(event: RunEvent): void {
    const { trigger, audience } = definition;
    if (!isLookedAt(trigger, event.event_type)) return;
    const refuse = (reason: RehearsedRefusal["reason"]) =>
      void refusals.push({ at_ms: nowMs, event_type: event.event_type, reason });
    if (!isEntry(trigger, event.props)) return refuse("where");
    if (!allHold(audience, factsForConditions(factsOf(profile), nowMs))) return refuse("audience");
    const key = entryKeyOf(definition, event.props);
    const before = runs.filter((run) => run.key === key);
    if (before.some(isOpen)) return trigger.type === "event" ? refuse("open") : undefined;
    if (!mayEnterAgain(before)) return refuse("re_entry");
    begin(key, event);
  }

  function mayEnterAgain(before: readonly Run[]): boolean {
    const { re_entry } = definition;
    if (re_entry.rule === "after_exit") return true;
    const sinceMs = re_entry.rule === "cool_down" ? nowMs - re_entry.after_ms : Number.NEGATIVE_INFINITY;
    return !before.some((run) => run.enteredAtMs > sinceMs);
  }

  function begin(key: string, { event_id, event_type, at, props }: RunEvent): void {
    const { state } = step(definition, null, { type: "start", entry: { event_id, event_type, at, key } }, nowMs);
    const trail = [...state.trail];
    const run: Run = {
      index: runs.length,
      key,
      enteredAtMs: nowMs,
      entryProps: props,
      state,
      endedAtMs: null,
      trail,
    };
    runs.push(run);
    // Nothing new is told: what the beginning wants already is answered.
    feed(run, { type: "timer" });
  }

  function learn({ event_type, props = {}, country = null, device = null }: RehearsedEvent): RunEvent {
    const at = new Date(nowMs).toISOString();
    const event: RunEvent = { event_id: `event-${++events}`, event_type, at, props };
    profile = addToProfile(profile, { at, event, country, device });
    return event;
  }

  function nextDueMs(): number {
    const due = runs.filter(isOpen).flatMap(({ state: { pending } }) => {
      return pending.type === "wait" && pending.until_ms !== null ? [pending.until_ms] : [];
    });
    return Math.min(...due);
  }

  return {
    get nowMs() {
      return nowMs;
    },
    get runs() {
      return runs.map((run) => describe(definition, run));
    },
    messages,
    refusals,
    tell(told) {
      const event = learn(told);
      const { event_type, props } = event;
      const exit = definition.exit_on.find((rule) => rule.event_type === event_type && allHold(rule.where, props));
      if (exit) for (const run of runs.filter(isOpen)) feed(run, { type: "stop", reason: exit.reason });
      const under = runs.filter(isOpen);
      enter(event);
      if (isListenedTo(definition, event_type)) for (const run of under) feed(run, { type: "event", event });
    },
    learn: (told) => void learn(told),
    advanceTo(ms) {
      if (!(ms >= nowMs)) throw new AppError("invalid", `time does not go back to ${new Date(ms).toISOString()}`);
      for (let dueMs = nextDueMs(); dueMs <= ms; dueMs = nextDueMs()) {
        nowMs = Math.max(nowMs, dueMs);
        for (const run of runs.filter(isOpen)) feed(run, { type: "timer" });
      }
      nowMs = ms;
    },
  };
}

function profileOf({ at_ms, attributes }: RehearsalOptions): Profile | undefined {
  if (attributes === undefined) return undefined;
  const at = new Date(at_ms).toISOString();
  const told = Object.entries(attributes).map(([name, value]) => [name, { value, at }]);
  return {
    first_seen_at: at,
    last_seen_at: at,
    last_event_at: {},
    attributes: Object.fromEntries(told),
    country: null,
    device: null,
  };
}

function isListenedTo({ nodes }: JourneyDefinition, eventType: string): boolean {
  return Object.values(nodes).some((node) =>
    kindOf(node)
      .listensTo(node)
      .some(({ event_type }) => event_type === "*" || event_type === eventType),
  );
}

function describe(definition: JourneyDefinition, { key, enteredAtMs, endedAtMs, state, trail }: Run): RehearsedRun {
  const { pending } = state;
  const end = pending.type === "end" ? pending : null;
  const { why } = describeRun(definition, state);
  return {
    key,
    entered_at_ms: enteredAtMs,
    ended_at_ms: endedAtMs,
    state: end?.state ?? "active",
    reason: end?.reason ?? null,
    why,
    waiting_until_ms: pending.type === "wait" ? pending.until_ms : null,
    trail,
  };
}
