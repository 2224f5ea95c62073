import {
  RESUME_CAMPAIGN_WORKFLOW,
  type ResumeCampaignActivities,
  resumeCampaignId,
} from "../../core/contracts/campaign.ts";
import type { JourneyActivities, JourneyInput } from "../../core/contracts/journey.ts";
import { JOURNEY_WORKFLOW, SIGNALS } from "../../core/contracts/journey.ts";
import { AppError } from "../../core/errors.ts";
import type { JourneyClient } from "../../crm/journey-client.ts";
import type { Journeys } from "../../platform/temporal.ts";
import type { Random } from "../support/oracle-random.ts";
import type { Clock, Proc } from "./clock.ts";
import type { Network } from "./network.ts";
import type { Activities } from "./temporal/attempt.ts";
import { decode } from "./temporal/history.ts";
import type { Workflows } from "./temporal/runtime.ts";
import { openServer, type WorkflowRecord } from "./temporal/server.ts";
import { openWorker } from "./temporal/worker.ts";

/**
 * Temporal, and the real workflows on it. What it promises, and what it does not: histories, timers and signals outlive
 * every process; a workflow's code runs on some worker, again from its history where that is lost; an activity runs at
 * least once, again after a time-out although the first may still be at it; a signal arrives once.
 */
export interface ModelTemporal {
  connect(network: Network): Journeys;
  /** As the API sees it. */
  connectApi(network: Network): Pick<JourneyClient, "resumeCampaign">;
  /** A worker polls the queues as long as its process runs. */
  register(proc: Proc, activities: JourneyActivities & Partial<ResumeCampaignActivities>): void;
  /** How many workflows have not come to rest. */
  open(): number;
  readonly records: readonly WorkflowRecord[];
  /** Workflows whose code could not go on. */
  readonly failures: { workflowId: string; reason: string }[];
}

const failure = () => new AppError("unavailable", "Temporal is away.");

export function createModelTemporal(
  parts: { clock: Clock; random: Random; network: Network },
  workflows: Workflows,
): ModelTemporal {
  const { clock, random } = parts;
  const server = openServer(clock, random, workflows);

  function connect(network: Network): Journeys {
    const call = <T>(serve: () => T) => network.ask("temporal", serve, failure);
    return {
      start: (workflowId, input) =>
        call(() => {
          const running = server.find(workflowId);
          if (running) return (decode(running.input) as JourneyInput).run_id === input.run_id ? "started" : "busy";
          server.start(workflowId, JOURNEY_WORKFLOW, input);
          return "started";
        }),
      stop: (workflowId, signal) => call(() => server.signal(workflowId, SIGNALS.stop, signal)),
      resume: (workflowId, signal) => call(() => server.signal(workflowId, SIGNALS.resume, signal)),
      tell: (workflowId, signal) => call(() => server.signal(workflowId, SIGNALS.events, signal)),
      startAndTell: (workflowId, input, signal) =>
        call(() => {
          if (!server.find(workflowId)) server.start(workflowId, JOURNEY_WORKFLOW, input);
          server.signal(workflowId, SIGNALS.events, signal);
        }),
      close: async () => undefined,
    };
  }

  return {
    connect,
    connectApi: (network) => ({
      resumeCampaign: (input) =>
        network.ask(
          "temporal",
          () => {
            const workflowId = resumeCampaignId(input.client_id, input.campaign_id);
            server.terminate(workflowId);
            server.start(workflowId, RESUME_CAMPAIGN_WORKFLOW, input);
          },
          failure,
        ),
    }),
    register(proc, activities) {
      server.register(
        openWorker({ ...parts, workflows, activities: activities as unknown as Activities, desk: server.desk }, proc),
      );
    },
    open: server.open,
    records: server.records,
    failures: server.failures,
  };
}
