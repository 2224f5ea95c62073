import { allHandlersFinished, condition, continueAsNew, setCurrentDetails } from "@temporalio/workflow";

import type { ChangeOutcome, ScalingInput } from "../../core/contracts/shard-scaling.ts";
import { loadsOf } from "../../core/shard-load.ts";
import { refuseChange } from "../../core/shard-request.ts";
import { decideScaling, type ShardChange } from "../../core/shard-scaling.ts";
import { isHistoryLong } from "../history.ts";
import { changeShards, lookAtStream } from "./activities.ts";
import { type Desk, openDesk, type Request } from "./desk.ts";

/** Looks at a stream for as long as there is one, and changes one thing at a time. `core/shard-scaling.ts` decides. */
export async function scaleShards(input: ScalingInput): Promise<void> {
  const desk = openDesk(input);
  for (;;) {
    desk.hearNews();
    const request = desk.takeRequest();
    await (request ? serve(desk, request) : look(desk));
    setCurrentDetails(desk.describe());
    if (isHistoryLong() && !desk.hasRequests()) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof scaleShards>(desk.toInput());
    }
    await condition(desk.hasNews, desk.settings.look_every_ms);
  }
}

async function look(desk: Desk): Promise<void> {
  const { stream, consumers, mode, policy } = desk.settings;
  const sight = await lookAtStream({ stream, consumers });
  const loads = loadsOf(desk.sight(), sight);
  desk.see(sight, loads);
  if (mode === "paused") return;
  const { status, behind_change } = sight;
  const { memory, decision } = decideScaling(policy, desk.memory(), { status, behind_change, loads }, sight.at_ms);
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

async function serve(desk: Desk, request: Request): Promise<void> {
  const { stream, consumers, policy } = desk.settings;
  const sight = await lookAtStream({ stream, consumers });
  const reason = refuseChange(policy, sight, request.change);
  const outcome: ChangeOutcome =
    reason === null ? await changeShards({ stream, change: request.change }) : { state: "refused", reason };
  if (outcome.state === "done") desk.learn({ ...desk.memory(), changed_at_ms: sight.at_ms, hot: {}, cold: {} });
  desk.record({ reason: "asked", why: `${request.by} asked for it`, change: request.change }, outcome, request.by);
  request.answer(outcome);
}
