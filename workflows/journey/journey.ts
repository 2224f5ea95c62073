import { defineSearchAttributeKey } from "@temporalio/common";
import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from "@temporalio/workflow";

import {
  type JourneyInput,
  type RunEnd,
  type RunStatus,
  SEARCH_ATTRIBUTES,
  WHERE_QUERY,
} from "../../core/contracts/journey.ts";
import type { JourneyDefinition } from "../../core/journey/definition.ts";
import { describeRun, type Effect, type RunInput, type RunState, step } from "../../core/journey/reducer.ts";
import { isHistoryLong } from "../history.ts";
import { endRun, loadDefinition, readPerson, sendMessage } from "./activities.ts";
import { type Inbox, openInbox } from "./inbox.ts";

const whereQuery = defineQuery<RunStatus | null>(WHERE_QUERY);
const OUTCOME = defineSearchAttributeKey(SEARCH_ATTRIBUTES.outcome, "KEYWORD");

interface Run {
  input: JourneyInput;
  definition: JourneyDefinition;
  inbox: Inbox;
  state: RunState;
}

/** One person's way through a journey. The reducer decides; this waits for what it wants and does what it says. */
export async function journey(input: JourneyInput): Promise<void> {
  const inbox = openInbox(input);
  let run: Run | null = null;
  setHandler(whereQuery, () => (run === null ? null : describeRun(run.definition, run.state)));
  try {
    const definition = await readDefinition(input);
    const entry: RunInput = { type: "start", entry: input.entry };
    run = { input, definition, inbox, state: input.state ?? step(definition, null, entry, Date.now()).state };
    await travel(run);
  } catch (error) {
    await endEarly(input, run?.state.node_id ?? "", error);
  }
}

async function travel(run: Run): Promise<void> {
  for (;;) {
    takeSteps(run);
    const { pending } = run.state;
    if (pending.type === "end") return end({ ...identify(run.input), ...pending });
    // Nothing that is pending has been begun yet, so it can as well be begun by the next execution.
    if (isHistoryLong()) await continueAsNew<typeof journey>({ ...run.input, state: run.state });
    takeStep(run, await perform(run, pending));
  }
}

/** What came in meanwhile is heard before anything new is begun. */
function takeSteps(run: Run): void {
  for (let input = run.inbox.take(); input !== undefined; input = run.inbox.take()) takeStep(run, input);
  const { node_id, why } = describeRun(run.definition, run.state);
  setCurrentDetails(`**${node_id}** ${why}`);
}

function takeStep(run: Run, input: RunInput): void {
  run.state = step(run.definition, run.state, input, Date.now()).state;
}

async function perform({ input, inbox, state }: Run, effect: Exclude<Effect, { type: "end" }>): Promise<RunInput> {
  switch (effect.type) {
    case "wait":
      await inbox.wait(effect.until_ms);
      return { type: "timer" };
    case "read_person": {
      const { id, entry_paths } = effect;
      const asked = { ...identify(input), ...(entry_paths && { entry_paths }) };
      return { type: "person", id, facts: await readPerson(asked) };
    }
    case "send": {
      const { channel, template, node_id } = effect;
      const { client_id, campaign_id, version, run_id, request_id } = input;
      const decided_at = new Date(state.now_ms).toISOString();
      const request = { client_id, campaign_id, version, run_id, node_id, channel, template, decided_at, request_id };
      return { type: "sent", id: effect.id, outcome: await sendMessage(request) };
    }
    default:
      throw new Error(`unknown effect: ${JSON.stringify(effect satisfies never)}`);
  }
}

async function readDefinition(input: JourneyInput): Promise<JourneyDefinition> {
  const { client_id, campaign_id, version } = input;
  const { definition, hash } = await loadDefinition({ client_id, campaign_id, version });
  if (hash !== input.definition_hash) {
    throw ApplicationFailure.nonRetryable(`version ${version} is not what this run began with`, "definition_changed");
  }
  return definition;
}

async function end({ client_id, run_id, state, reason, node_id }: RunEnd): Promise<void> {
  await endRun({ client_id, run_id, state, reason, node_id });
  upsertSearchAttributes([{ key: OUTCOME, value: state }]);
  await condition(allHandlersFinished);
}

/** Cancelled from outside, or refused for good by an activity. Anything else is a bug: Temporal retries the task. */
async function endEarly(input: JourneyInput, nodeId: string, error: unknown): Promise<never> {
  const cancelled = isCancellation(error);
  if (!cancelled && !(error instanceof ActivityFailure) && !(error instanceof ApplicationFailure)) throw error;
  const outcome = cancelled ? { state: "stopped", reason: "cancelled" } : { state: "failed", reason: reasonOf(error) };
  await CancellationScope.nonCancellable(() =>
    end({ ...identify(input), node_id: nodeId, ...(outcome as Pick<RunEnd, "state" | "reason">) }),
  );
  throw error;
}

function reasonOf(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure ? (cause.type ?? cause.message) : "failed";
}

function identify({ client_id, run_id }: JourneyInput): { client_id: string; run_id: string } {
  return { client_id, run_id };
}
