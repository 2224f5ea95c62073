import {
  Client,
  isGrpcServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from "@temporalio/client";
import { defineSearchAttributeKey } from "@temporalio/common";

import {
  type EventsSignal,
  JOURNEY_TASK_QUEUE,
  JOURNEY_WORKFLOW,
  type JourneyInput,
  type ResumeSignal,
  SEARCH_ATTRIBUTES,
  SIGNALS,
  type StopSignal,
} from "../core/contracts/journey.ts";
import { AppError, type ErrorCode } from "../core/errors.ts";
import type { Config } from "./config.ts";
import { connectTemporal } from "./temporal-connection.ts";

/** Longer than Temporal ever takes when it is well. */
const CALL_TIMEOUT_MS = 5_000;

/** Journeys as everyone but their worker sees them. All throw `unavailable` where Temporal is away, `invalid` where it refuses. */
export interface Journeys {
  /**
   * `started`: this run has its workflow, now or before. `busy`: another run of the same person, journey and key is still
   * ending; try again.
   */
  start(workflowId: string, input: JourneyInput): Promise<"started" | "busy">;
  /** False where there is no such workflow any more. */
  stop(workflowId: string, signal: StopSignal): Promise<boolean>;
  resume(workflowId: string, signal: ResumeSignal): Promise<boolean>;
  tell(workflowId: string, signal: EventsSignal): Promise<boolean>;
  /** Tells a run that may not have its workflow yet, starting it where it has none. */
  startAndTell(workflowId: string, input: JourneyInput, signal: EventsSignal): Promise<void>;
  close(): Promise<void>;
}

/** What became of workflows that cannot tell. */
export interface BrokenJourneys {
  /** Run ids whose workflows ended since then without a word of their own: terminated by hand, say. One that was reset is among them. */
  findBroken(since: Date): Promise<string[]>;
  /** Whether the workflow of this very run is there and goes on. */
  isUnderWay(workflowId: string, runId: string): Promise<boolean>;
}

/** Connects at its first use, so that nobody need wait for Temporal to start. */
export function connectJourneys(
  config: Pick<Config, "LIVORA_TEMPORAL_ADDRESS" | "LIVORA_TEMPORAL_NAMESPACE">,
): Journeys & BrokenJourneys {
  const connection = connectTemporal(config);
  const { workflow } = new Client({ connection, namespace: config.LIVORA_TEMPORAL_NAMESPACE });
  const call = <T>(work: () => Promise<T>) => translate(connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, work));
  const signal = (workflowId: string, name: string, payload: object) =>
    call(() =>
      workflow
        .getHandle(workflowId)
        .signal(name, payload)
        .then(() => true, isGone),
    );

  return {
    start: (workflowId, input) =>
      call(async () => {
        try {
          await workflow.start(JOURNEY_WORKFLOW, { workflowId, ...startOptions(input) });
          return "started";
        } catch (error) {
          if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
          const { memo } = await workflow.getHandle(workflowId).describe();
          return memo?.["run_id"] === input.run_id ? "started" : "busy";
        }
      }),
    stop: (workflowId, payload) => signal(workflowId, SIGNALS.stop, payload),
    resume: (workflowId, payload) => signal(workflowId, SIGNALS.resume, payload),
    tell: (workflowId, payload) => signal(workflowId, SIGNALS.events, payload),
    async startAndTell(workflowId, input, payload) {
      const options = {
        workflowId,
        ...startOptions(input),
        signal: SIGNALS.events,
        signalArgs: [payload] as [EventsSignal],
      };
      await call(() => workflow.signalWithStart(JOURNEY_WORKFLOW, options));
    },
    findBroken: (since) =>
      call(async () => {
        const query = `WorkflowType = '${JOURNEY_WORKFLOW}' and ExecutionStatus in (${BROKEN}) and CloseTime > '${since.toISOString()}'`;
        const runIds: string[] = [];
        for await (const { memo } of workflow.list({ query })) runIds.push(memo?.["run_id"] as string);
        return runIds;
      }),
    isUnderWay: (workflowId, runId) =>
      call(async () => {
        try {
          const { memo, status } = await workflow.getHandle(workflowId).describe();
          return status.name === "RUNNING" && memo?.["run_id"] === runId;
        } catch (error) {
          return isGone(error);
        }
      }),
    close: () => connection.close(),
  };
}

/** All but completed and continued. */
const BROKEN = "'Terminated', 'Canceled', 'TimedOut', 'Failed'";

function startOptions(input: JourneyInput) {
  return {
    taskQueue: JOURNEY_TASK_QUEUE,
    args: [input] as [JourneyInput],
    // Tells runs apart that share a workflow id.
    memo: { run_id: input.run_id },
    typedSearchAttributes: [
      attribute("client", input.client_id),
      attribute("campaign", input.campaign_id),
      attribute("version", String(input.version)),
    ],
  };
}

function isGone(error: unknown): false {
  if (error instanceof WorkflowNotFoundError) return false;
  throw error;
}

async function translate<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError(codeOf(error), `Temporal: ${(error as Error).message}`, { cause: error });
  }
}

/** gRPC: INVALID_ARGUMENT (too large, say), FAILED_PRECONDITION, OUT_OF_RANGE. Asking again changes nothing about them. */
const REFUSED = new Set([3, 9, 11]);

function codeOf(error: unknown): ErrorCode {
  const answer = [error, (error as Error).cause].find((candidate) => isGrpcServiceError(candidate));
  if (answer === undefined) return "internal";
  return REFUSED.has((answer as { code: number }).code) ? "invalid" : "unavailable";
}

function attribute(name: keyof typeof SEARCH_ATTRIBUTES, value: string) {
  return { key: defineSearchAttributeKey(SEARCH_ATTRIBUTES[name], "KEYWORD"), value };
}
