import { type Campaign, compileCampaign } from "../campaign.ts";
import type { Channel } from "../channel.ts";
import { AppError } from "../errors.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../time.ts";
import type { JourneyDefinition } from "./definition.ts";
import { describeTime } from "./words.ts";
import { createRehearsal, type RehearsalOptions, type Rehearsal, type RehearsedMessage } from "./rehearsal.ts";

/** A contact of a test: what is known of them when it begins. */
export interface GivenContact {
  attributes?: RehearsalOptions["attributes"];
  /** ISO 8601; a Monday morning where nothing is said. */
  at?: string;
  deliver?: RehearsalOptions["deliver"];
}

/** What a test says of a journey, in the order in which it happens. Each throws where it does not hold, and tells what did happen. */
export interface JourneyTest {
  /** The contact does something, now. */
  event(eventType: string, props?: Record<string, unknown>): JourneyTest;
  /** Lets time pass: `31m`, `1d 2h`, `90s`. */
  advance(time: string): JourneyTest;
  /** Since the last look, exactly this message went out. */
  expectMessage(channel: Channel, template: string): JourneyTest;
  /** Since the last look, nothing went out. */
  expectSilence(): JourneyTest;
  /** The latest run stands at this node. */
  expectAt(nodeId: string): JourneyTest;
  /** The latest run has ended so: `completed`, or `stopped` for a reason. */
  expectEnd(state: "completed" | "stopped" | "failed", reason?: string): JourneyTest;
  /** The contact has been through the journey, or is in it, so many times. */
  expectRuns(count: number): JourneyTest;
  readonly rehearsal: Rehearsal;
}

const MONDAY_MORNING = "2026-01-05T09:00:00.000Z";
const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS };

/**
 * Tests of a campaign's journey, on the reducer that runs it live:
 *
 *     rehearse(cart).given().event("add_to_cart", { cart_id: "c1" }).advance("31m").expectMessage("whatsapp", "reminder");
 *
 * Throws `invalid` with every fault where the campaign is not valid.
 */
export function rehearse(campaign: Campaign | object): { given(contact?: GivenContact): JourneyTest } {
  const compiled = compileCampaign(campaign);
  if (!compiled.ok) throw new AppError("invalid", "The campaign is not valid.", { faults: compiled.faults });
  return { given: (contact = {}) => begin(compiled.definition, contact) };
}

function begin(definition: JourneyDefinition, { at = MONDAY_MORNING, ...contact }: GivenContact): JourneyTest {
  const rehearsal = createRehearsal(definition, { ...contact, at_ms: Date.parse(at) });
  let seen = 0;

  function look(): readonly RehearsedMessage[] {
    const fresh = rehearsal.messages.slice(seen);
    seen = rehearsal.messages.length;
    return fresh;
  }

  function insist(holds: boolean, expected: string): JourneyTest {
    if (!holds) throw new Error(`expected ${expected}, but: ${tellAll(rehearsal)}`);
    return test;
  }

  const test: JourneyTest = {
    rehearsal,
    event(event_type, props) {
      rehearsal.tell({ event_type, props });
      return test;
    },
    advance(time) {
      rehearsal.advanceTo(rehearsal.nowMs + millisecondsOf(time));
      return test;
    },
    expectMessage(channel, template) {
      const fresh = look();
      const isIt = fresh.length === 1 && fresh[0]?.channel === channel && fresh[0].template === template;
      return insist(isIt, `one ${channel} message "${template}"`);
    },
    expectSilence: () => insist(look().length === 0, "no message"),
    expectAt(nodeId) {
      const last = rehearsal.runs.at(-1);
      return insist(last?.state === "active" && last.trail.at(-1)?.node_id === nodeId, `the run at "${nodeId}"`);
    },
    expectEnd(state, reason) {
      const last = rehearsal.runs.at(-1);
      const isIt = last?.state === state && (reason === undefined || last.reason === reason);
      return insist(isIt, `the run ${state}${reason === undefined ? "" : ` (${reason})`}`);
    },
    expectRuns: (count) => insist(rehearsal.runs.length === count, `${count} runs`),
  };
  return test;
}

function tellAll({ nowMs, runs, messages, refusals }: Rehearsal): string {
  const told = [
    ...runs.map(
      ({ key, entered_at_ms, why }) => `run ${key && `"${key}" `}since ${describeTime(entered_at_ms)} ${why}`,
    ),
    ...messages.map(({ at_ms, channel, template, outcome }) => {
      return `${channel} "${template}" at ${describeTime(at_ms)} ${outcome.outcome}`;
    }),
    ...refusals.map(
      ({ at_ms, event_type, reason }) => `${event_type} at ${describeTime(at_ms)} did not enter (${reason})`,
    ),
  ];
  return `at ${describeTime(nowMs)} ${told.length === 0 ? "nothing has happened" : told.join("; ")}`;
}

function millisecondsOf(time: string): number {
  const parts = time.trim().split(/\s+/);
  const found = parts.map((part) => /^(\d+(?:\.\d+)?)([smhd])$/.exec(part));
  if (found.some((part) => part === null)) {
    throw new AppError("invalid", `"${time}" is no time: write 90s, 31m or "1d 2h"`);
  }
  return found.reduce((sum, part) => sum + Number(part![1]) * UNITS_MS[part![2]!]!, 0);
}
