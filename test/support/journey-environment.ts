import type { TestWorkflowEnvironment } from "@temporalio/testing";
import type { WorkflowHandle } from "@temporalio/client";
import { DefaultLogger, Runtime } from "@temporalio/worker";

import type { ResumeCampaignActivities } from "../../core/contracts/campaign.ts";
import {
  JOURNEY_TASK_QUEUE,
  JOURNEY_WORKFLOW,
  type JourneyActivities,
  type JourneyInput,
  type PersonFacts,
  type RunEnd,
  type RunEvent,
  type RunStatus,
  SEARCH_ATTRIBUTES,
  type SendOutcome,
  type SendRequest,
  SIGNALS,
  WHERE_QUERY,
} from "../../core/contracts/journey.ts";
import type { JourneyDefinition } from "../../core/journey/definition.ts";
import { hashDefinition } from "../../core/journey/hash.ts";
import { createTimeSkippingEnvironment } from "./time-skipping.ts";
import { runWorker } from "./workflow-worker.ts";

/** Everything outside a journey, as the test says it is. */
export interface JourneyWorld {
  outcomes: SendOutcome[];
  person: PersonFacts;
  sends: (SendRequest & { minute: number })[];
  ends: RunEnd[];
  held: { run_id: string; workflow_id: string }[];
  woken: string[];
}

export interface JourneyRun {
  handle: WorkflowHandle;
  /** Waits until the run is over; its delays take no time. */
  finish(): Promise<void>;
  stop(reason?: string): Promise<void>;
  resume(): Promise<void>;
  tell(event: Partial<RunEvent>): Promise<void>;
  where(): Promise<RunStatus | null>;
}

/** Real workflow code on a Temporal whose clock can be turned, with activities that only remember. */
export async function createJourneyEnvironment() {
  Runtime.install({ logger: new DefaultLogger("ERROR") });
  const env = await createTimeSkippingEnvironment();
  await addSearchAttributes(env);
  const startedAtMs = await env.currentTimeMs();
  const definitions = new Map<string, JourneyDefinition>();
  const world: JourneyWorld = { outcomes: [], person: nobody(), sends: [], ends: [], held: [], woken: [] };
  const activities = stubActivities(world, definitions, startedAtMs);
  const close = await runWorker(env, { taskQueue: JOURNEY_TASK_QUEUE, workflows: "journeys.ts", activities });
  let runs = 0;

  return {
    env,
    world,
    /** Forgets what was sent; the clock goes on. */
    reset() {
      Object.assign(world, { outcomes: [], person: nobody(), sends: [], ends: [], held: [], woken: [] });
    },
    nowMs: () => env.currentTimeMs(),
    async sleepMinutes(minutes: number) {
      await env.sleep(minutes * 60_000);
    },
    async start(definition: JourneyDefinition, input: Partial<JourneyInput> = {}): Promise<JourneyRun> {
      const campaignId = `campaign-${(runs += 1)}`;
      definitions.set(campaignId, definition);
      const at = new Date(await env.currentTimeMs()).toISOString();
      return startRun(env, journeyInput(campaignId, definition, at, input));
    },
    close,
  };
}

async function addSearchAttributes(env: TestWorkflowEnvironment): Promise<void> {
  const keyword = 2;
  const searchAttributes = Object.fromEntries(Object.values(SEARCH_ATTRIBUTES).map((name) => [name, keyword]));
  await env.connection.operatorService.addSearchAttributes({ namespace: env.namespace ?? "default", searchAttributes });
}

function journeyInput(
  campaignId: string,
  definition: JourneyDefinition,
  at: string,
  input: Partial<JourneyInput>,
): JourneyInput {
  return {
    client_id: "demo",
    campaign_id: campaignId,
    version: 1,
    definition_hash: hashDefinition(definition),
    run_id: `run-of-${campaignId}`,
    entry: { event_id: "e1", event_type: "add_to_cart", at, key: "" },
    request_id: "r1",
    ...input,
  };
}

async function startRun(env: TestWorkflowEnvironment, input: JourneyInput): Promise<JourneyRun> {
  const handle = await env.client.workflow.start(JOURNEY_WORKFLOW, {
    taskQueue: JOURNEY_TASK_QUEUE,
    workflowId: `j:${input.client_id}:${input.campaign_id}:person:key`,
    args: [input],
  });
  const { run_id } = input;
  const event = (some: Partial<RunEvent>): RunEvent => ({
    event_id: "e2",
    event_type: "click",
    at: input.entry.at,
    props: {},
    ...some,
  });
  return {
    handle,
    finish: () => handle.result() as Promise<void>,
    stop: (reason = "purchase") => handle.signal(SIGNALS.stop, { run_id, reason, event_id: "e9" }),
    resume: () => handle.signal(SIGNALS.resume, { run_id }),
    tell: (some) => handle.signal(SIGNALS.events, { run_id, events: [event(some)] }),
    where: () => handle.query(WHERE_QUERY),
  };
}

function stubActivities(
  world: JourneyWorld,
  definitions: Map<string, JourneyDefinition>,
  startedAtMs: number,
): JourneyActivities & ResumeCampaignActivities {
  return {
    async loadDefinition({ campaign_id }) {
      const definition = definitions.get(campaign_id)!;
      return { definition, hash: hashDefinition(definition) };
    },
    async sendMessage(request) {
      const minute = Math.round((Date.parse(request.decided_at) - startedAtMs) / 60_000);
      world.sends.push({ ...request, minute });
      return world.outcomes.shift() ?? { outcome: "submitted", delivery_id: "d1" };
    },
    readPerson: async () => world.person,
    async endRun(end) {
      world.ends.push(end);
    },
    listHeldRuns: async ({ after }) => world.held.filter((run) => after === null || run.run_id > after).slice(0, 2),
    async resumeRuns({ runs }) {
      world.woken.push(...runs.map((run) => run.run_id));
    },
  };
}

export function nobody(): PersonFacts {
  return { attributes: {}, last_seen_at: null, last_event_at: {} };
}
