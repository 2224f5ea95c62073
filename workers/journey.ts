import type { NativeConnection, Worker } from "@temporalio/worker";

import { createCampaignActivities } from "../activities/campaign.ts";
import { createJourneyActivities } from "../activities/journey.ts";
import { JOURNEY_TASK_QUEUE } from "../core/contracts/journey.ts";
import type { DeliveryContext } from "../delivery/context.ts";
import { deliver } from "../delivery/deliver.ts";
import type { Journeys } from "../platform/temporal.ts";
import { createUserStore } from "../platform/user-store.ts";
import { createWorker } from "./create-worker.ts";

export interface JourneyWorkerDeps {
  ctx: DeliveryContext;
  journeys: Pick<Journeys, "resume">;
}

/** The task queue "journeys". The caller runs and shuts down the worker. */
export async function createJourneyWorker(
  { ctx, journeys }: JourneyWorkerDeps,
  connection: NativeConnection,
): Promise<Worker> {
  const store = createUserStore(ctx);
  return createWorker(ctx, connection, {
    taskQueue: JOURNEY_TASK_QUEUE,
    workflows: "journeys.ts",
    activities: {
      ...createJourneyActivities({ ctx, store, deliver: (request) => deliver(ctx, request) }),
      ...createCampaignActivities({ ctx, journeys }),
    },
    // A send spends its time waiting: for the watermark, then for the provider.
    maxConcurrentActivityTaskExecutions: 200,
    maxCachedWorkflows: 2_000,
  });
}
