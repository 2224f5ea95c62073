import { z } from "zod";

import { dayIn } from "./calendar-day.ts";
import { type Channel, CHANNELS } from "./channel.ts";
import type { Rehearsal, RehearsedMessage, RehearsedRun } from "./journey/rehearsal.ts";
import { DAY_MS } from "./time.ts";

/** Two messages to one person within this time are too close. */
export const CONFLICT_MS = DAY_MS;
const SAMPLES = 20;

const count = () => z.int().min(0);
const refusalReasons = ["where", "audience", "open", "re_entry"] as const;
const runStates = ["active", "completed", "stopped", "failed"] as const;

export const backtestReportSchema = z
  .object({
    hash: z.string().meta({ description: "Of the journey, as it would be published." }),
    start: z.iso.datetime(),
    end: z.iso.datetime(),
    people: count().meta({ description: "Who did anything that could have let them in." }),
    entered: count().meta({ description: "People; one may have had several runs." }),
    runs: z.record(z.enum(runStates), count()).meta({ description: "`active`: still under way at `end`." }),
    ended_by: z.array(z.object({ state: z.enum(runStates), reason: z.string(), runs: count() })),
    refusals: z.record(z.enum(refusalReasons), count()),
    messages: z.array(
      z.object({
        node_id: z.string(),
        channel: z.enum(CHANNELS),
        template: z.string(),
        messages: count(),
        people: count(),
      }),
    ),
    days: z
      .array(z.object({ day: z.iso.date(), entered: count(), messages: count() }))
      .meta({ description: "Of the client's time zone." }),
    most_messages_to_one_person: count(),
    conflicts: z
      .object({ messages: count(), people: count() })
      .meta({ description: "Messages within 24 hours of one that another campaign did send to the same person." }),
    cost: z
      .number()
      .nullable()
      .meta({ description: "By `cost_per_message`; null where a channel that is used has none." }),
    samples: z
      .array(
        z.object({
          person: z.string(),
          key: z.string(),
          entered_at: z.iso.datetime(),
          state: z.enum(runStates),
          why: z.string(),
          messages: z.array(z.object({ at: z.iso.datetime(), channel: z.enum(CHANNELS), template: z.string() })),
        }),
      )
      .meta({ description: `The first ${SAMPLES} runs.` }),
  })
  .meta({ id: "Backtest" });

export type BacktestReport = z.infer<typeof backtestReportSchema>;

export interface BacktestOptions {
  hash: string;
  /** Epoch milliseconds. */
  start: number;
  end: number;
  timeZone: string;
  /** In whatever money one likes. */
  costPerMessage: Readonly<Partial<Record<Channel, number>>>;
}

/** Adds up one rehearsal after the other. */
export interface BacktestTally {
  /** `sentAtMs`: when other campaigns did send to the person, in order. */
  add(person: string, rehearsal: Pick<Rehearsal, "runs" | "messages" | "refusals">, sentAtMs: readonly number[]): void;
  report(): BacktestReport;
}

export function createBacktestTally({ hash, start, end, timeZone, costPerMessage }: BacktestOptions): BacktestTally {
  const runs = zeros(runStates);
  const refusals = zeros(refusalReasons);
  const ended = new Map<string, BacktestReport["ended_by"][number]>();
  const messages = new Map<string, BacktestReport["messages"][number]>();
  const days = new Map<string, BacktestReport["days"][number]>();
  const conflicts = { messages: 0, people: 0 };
  const samples: BacktestReport["samples"] = [];
  let [people, entered, most] = [0, 0, 0];

  const dayOf = (ms: number) => {
    const day = dayIn(timeZone, ms);
    const row = days.get(day) ?? { day, entered: 0, messages: 0 };
    days.set(day, row);
    return row;
  };

  function addRun({ state, reason, entered_at_ms }: RehearsedRun): void {
    runs[state]++;
    dayOf(entered_at_ms).entered++;
    if (reason === null) return;
    const row = ended.get(`${state} ${reason}`) ?? { state, reason, runs: 0 };
    ended.set(`${state} ${reason}`, row);
    row.runs++;
  }

  function addMessages(sent: readonly RehearsedMessage[]): void {
    for (const { at_ms, channel, template, node_id: id } of sent) {
      // A second visit is a second message of the same node.
      const node_id = id.replace(/~\d+$/, "");
      const row = messages.get(node_id) ?? { node_id, channel, template, messages: 0, people: 0 };
      messages.set(node_id, row);
      row.messages++;
      dayOf(at_ms).messages++;
    }
    const reached = new Set(sent.map(({ node_id }) => node_id.replace(/~\d+$/, "")));
    for (const node_id of reached) messages.get(node_id)!.people++;
  }

  return {
    add(person, rehearsal, sentAtMs) {
      people++;
      for (const { reason } of rehearsal.refusals) refusals[reason]++;
      if (rehearsal.runs.length === 0) return;
      entered++;
      rehearsal.runs.forEach(addRun);
      addMessages(rehearsal.messages);
      most = Math.max(most, rehearsal.messages.length);
      const close = rehearsal.messages.filter(({ at_ms }) => sentAtMs.some((ms) => Math.abs(ms - at_ms) < CONFLICT_MS));
      conflicts.messages += close.length;
      if (close.length > 0) conflicts.people++;
      if (samples.length < SAMPLES) samples.push(...samplesOf(person, rehearsal).slice(0, SAMPLES - samples.length));
    },
    report: () => ({
      hash,
      start: new Date(start).toISOString(),
      end: new Date(end).toISOString(),
      people,
      entered,
      runs: { ...runs },
      ended_by: [...ended.values()].toSorted((a, b) => b.runs - a.runs || (a.reason < b.reason ? -1 : 1)),
      refusals: { ...refusals },
      messages: [...messages.values()].toSorted((a, b) => b.messages - a.messages || (a.node_id < b.node_id ? -1 : 1)),
      days: [...days.values()].toSorted((a, b) => (a.day < b.day ? -1 : 1)),
      most_messages_to_one_person: most,
      conflicts: { ...conflicts },
      cost: costOf([...messages.values()], costPerMessage),
      samples,
    }),
  };
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}

function samplesOf(
  person: string,
  { runs, messages }: Pick<Rehearsal, "runs" | "messages">,
): BacktestReport["samples"] {
  return runs.map(({ key, entered_at_ms, state, why }, nth) => ({
    person,
    key,
    entered_at: new Date(entered_at_ms).toISOString(),
    state,
    why,
    messages: messages
      .filter(({ run }) => run === nth)
      .map(({ at_ms, channel, template }) => ({ at: new Date(at_ms).toISOString(), channel, template })),
  }));
}

function costOf(messages: BacktestReport["messages"], each: BacktestOptions["costPerMessage"]): number | null {
  let cost = 0;
  for (const { channel, messages: sent } of messages) {
    const price = each[channel];
    if (price === undefined) return null;
    cost += price * sent;
  }
  return cost;
}
