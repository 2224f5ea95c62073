import { allHandlersFinished, condition, continueAsNew, patched, setCurrentDetails } from "@temporalio/workflow";

import type { ChangeOutcome, ScalingActivities, ScalingInput } from "../../core/contracts/shard-scaling.ts";
import type { ShardChange } from "../../core/shard-scaling.ts";
import { isHistoryLong } from "../history.ts";
import { changeShards, decideOnShards, judgeChange } from "./activities.ts";
import { decideHere, judgeHere } from "./decided-here.ts";
import { type Desk, openDesk, type Request } from "./desk.ts";

/** Where decisions are taken. In activities, what was decided is in the history: the rules may change under a run, and it goes on. */
type Decider = Pick<ScalingActivities, "decideOnShards" | "judgeChange">;
const IN_ACTIVITIES: Decider = { decideOnShards, judgeChange };
const IN_THE_WORKFLOW: Decider = { decideOnShards: decideHere, judgeChange: judgeHere };

/** Looks at a stream for as long as there is one, and changes one thing at a time. `core/shard-scaling.ts` decides. */
export async function scaleShards(input: ScalingInput): Promise<void> {
  const desk = openDesk(input);
  // Asked once: an execution keeps to what it began with.
  const decider = patched("2026-11-decided-in-activities") ? IN_ACTIVITIES : IN_THE_WORKFLOW;
  for (;;) {
    desk.hearNews();
    const request = desk.takeRequest();
    await (request ? serve(desk, decider, request) : look(desk, decider));
    setCurrentDetails(desk.describe());
    if (isHistoryLong() && !desk.hasRequests()) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof scaleShards>(desk.toInput());
    }
    await condition(desk.hasNews, desk.settings.look_every_ms);
  }
}

async function look(desk: Desk, decider: Decider): Promise<void> {
  const { stream, consumers, mode, policy } = desk.settings;
  const asked = { stream, consumers, mode, policy, before: desk.sight(), memory: desk.memory() };
  const { sight, loads, memory, decision } = await decider.decideOnShards(asked);
  desk.see(sight, loads);
  if (decision === null) return;
  desk.learn(memory);
  const outcome = decision.change && (await carryOut(desk, decision.change));
  desk.record(decision, outcome, null);
}

/** In `dry_run`, and where somebody has paused it or moved the bounds meanwhile, nothing is changed. */
async function carryOut(desk: Desk, change: ShardChange): Promise<ChangeOutcome> {
  const { stream, mode } = desk.settings;
  if (mode === "dry_run") return { state: "dry_run" };
  if (mode === "paused") return { state: "refused", reason: "paused meanwhile" };
  return changeShards({ stream, change });
}

async function serve(desk: Desk, decider: Decider, request: Request): Promise<void> {
  const { stream, consumers, policy } = desk.settings;
  const asked = { stream, consumers, policy, change: request.change, memory: desk.memory() };
  const { reason, memory } = await decider.judgeChange(asked);
  const outcome: ChangeOutcome =
    reason === null ? await changeShards({ stream, change: request.change }) : { state: "refused", reason };
  if (outcome.state === "done") desk.learn(memory);
  desk.record({ reason: "asked", why: `${request.by} asked for it`, change: request.change }, outcome, request.by);
  request.answer(outcome);
}
