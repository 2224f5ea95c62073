import { condition, defineQuery, defineUpdate, setHandler } from "@temporalio/workflow";
import { ApplicationFailure } from "@temporalio/common";

import {
  CHANGE_UPDATE,
  type ChangeOutcome,
  CONFIGURE_UPDATE,
  type ConfigureScaling,
  type DecisionEntry,
  type RequestedChange,
  SCALING_MODES,
  SCALING_STATUS_QUERY,
  type ScalingInput,
  type ScalingStatus,
} from "../../core/contracts/shard-scaling.ts";
import type { ShardLoad, StreamSight } from "../../core/shard-load.ts";
import { refusePolicy } from "../../core/shard-request.ts";
import { NOTHING_KNOWN, type ScalingDecision, type ScalingMemory } from "../../core/shard-scaling.ts";

const MAX_DECISIONS = 50;

export interface Request extends RequestedChange {
  answer(outcome: ChangeOutcome): void;
}

/** What the workflow knows, and where people ask and tell it. */
export type Desk = ReturnType<typeof openDesk>;

export function openDesk(input: ScalingInput) {
  const settings = { ...input };
  let { memory, sight, decisions } = input.carried ?? { memory: NOTHING_KNOWN, sight: null, decisions: [] };
  let loads: ShardLoad[] = [];
  const requests: Request[] = [];
  let isConfigured = false;

  setHandler(defineQuery<ScalingStatus>(SCALING_STATUS_QUERY), status);
  setHandler(
    defineUpdate<ScalingStatus, [ConfigureScaling]>(CONFIGURE_UPDATE),
    (change) => {
      Object.assign(settings, merged(settings, change));
      isConfigured = true;
      return status();
    },
    { validator: (change) => refuseSettings(merged(settings, change)) },
  );
  setHandler(defineUpdate<ChangeOutcome, [RequestedChange]>(CHANGE_UPDATE), async (asked) => {
    let outcome: ChangeOutcome | undefined;
    requests.push({ ...asked, answer: (given) => (outcome = given) });
    await condition(() => outcome !== undefined);
    return outcome as unknown as ChangeOutcome;
  });

  function status(): ScalingStatus {
    const { stream, mode, policy, look_every_ms } = settings;
    const looked_at = sight && isoOf(sight.at_ms);
    return { stream, mode, policy, look_every_ms, looked_at, loads, decisions };
  }

  /** The same again is one entry: a quiet month must not fill the list. */
  function record(decision: ScalingDecision, outcome: ChangeOutcome | null, by: string | null): void {
    const now = isoOf(Date.now());
    const [last] = decisions;
    const isSame = last && last.reason === decision.reason && !last.change && !decision.change;
    const entry: DecisionEntry = isSame
      ? { ...last, ...decision, until: now, looks: last.looks + 1 }
      : { ...decision, at: now, until: now, looks: 1, by, outcome };
    decisions = [entry, ...(isSame ? decisions.slice(1) : decisions)].slice(0, MAX_DECISIONS);
  }

  return {
    settings: settings as Readonly<ScalingInput>,
    memory: (): ScalingMemory => memory,
    sight: (): StreamSight | null => sight,
    hasRequests: () => requests.length > 0,
    takeRequest: () => requests.shift(),
    /** There is reason to look at once. */
    hasNews: () => requests.length > 0 || isConfigured,
    hearNews() {
      isConfigured = false;
    },
    see(seen: StreamSight, carried: ShardLoad[]) {
      [sight, loads] = [seen, carried];
    },
    learn(learnt: ScalingMemory) {
      memory = learnt;
    },
    record,
    describe: () => `**${settings.mode}** ${loads.length} shards; ${decisions[0]?.why ?? ""}`,
    toInput: (): ScalingInput => ({ ...settings, carried: { memory, sight, decisions } }),
  };
}

function merged(settings: ScalingInput, { mode, policy, look_every_ms }: ConfigureScaling) {
  return {
    mode: mode ?? settings.mode,
    policy: { ...settings.policy, ...policy },
    look_every_ms: look_every_ms ?? settings.look_every_ms,
  };
}

/** Refused before it is in the history. */
function refuseSettings({ mode, policy, look_every_ms }: ReturnType<typeof merged>): void {
  const isMode = SCALING_MODES.includes(mode);
  const reason = isMode ? refusePolicy(policy) : `mode is one of ${SCALING_MODES.join(", ")}`;
  const pause = look_every_ms >= 100 ? null : "look_every_ms is at least 100";
  const refusal = reason ?? pause;
  if (refusal !== null) throw ApplicationFailure.nonRetryable(refusal, "invalid");
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
