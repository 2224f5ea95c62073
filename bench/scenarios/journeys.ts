import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";

import { Client, Connection } from "@temporalio/client";
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from "@temporalio/worker";

import { compileCampaign } from "../../core/campaign.ts";
import {
  JOURNEY_TASK_QUEUE,
  JOURNEY_WORKFLOW,
  type JourneyActivities,
  type JourneyInput,
} from "../../core/contracts/journey.ts";
import type { JourneyDefinition } from "../../core/journey/definition.ts";
import { hashDefinition } from "../../core/journey/hash.ts";
import { bundleWorkflows } from "../../workers/bundle.ts";
import { cpuMicrosOf } from "../process-cpu.ts";
import type { Bench, Row, Scenario } from "../scenario.ts";

/** As many as there would be at a busy moment; more only wait in Temporal's queues. */
const UNDER_WAY = 50;
/** Long enough that it has not passed before it is asked for: then there would be no timer. */
const DELAY_MS = 300;
const BARE_TASK_QUEUE = "bare";

interface Contender {
  row: Row;
  start(client: Client): Promise<unknown>;
}

/** Called by whichever activity comes last in a workflow: counting this way asks nothing more of the server. */
let onEnd = () => {};

/** (d) Journeys started and completed a second, beside a bare two-line workflow on the same server. Delivery is left out. */
export const journeys: Scenario = {
  name: "journeys",
  async run(bench) {
    Runtime.install({ logger: new DefaultLogger("ERROR"), shutdownSignals: [] });
    const address = bench.stack.config.LIVORA_TEMPORAL_ADDRESS;
    const [connection, native] = await Promise.all([
      Connection.connect({ address }),
      NativeConnection.connect({ address }),
    ]);
    const client = new Client({ connection });
    const contenders = [bareWorkflow(), journeyOf("1 message", 1), journeyOf("2 messages (the cart's)", 2)];
    const workers = await createWorkers(native);
    const running = workers.map((worker) => worker.run());
    try {
      for (let round = 0; round <= bench.rounds; round++) {
        for (const contender of contenders) await measure(bench, client, contender, round === 0);
        bench.report(`journeys: round ${round} of ${bench.rounds}`);
      }
    } finally {
      for (const worker of workers) worker.shutdown();
      await Promise.all(running);
      await Promise.all([connection.close(), native.close()]);
    }
    return contenders.map(({ row }) => row);
  },
};

/** Keeps so many under way, and counts the ends. The first round warms up. */
async function measure(bench: Bench, client: Client, { row, start }: Contender, isWarmUp: boolean): Promise<void> {
  const temporal = bench.stack.parts.temporal.pid;
  const before = { server: cpuMicrosOf(temporal), own: process.cpuUsage(), atMs: performance.now() };
  const ended = await runFor(bench.seconds * 1000, () => start(client));
  if (isWarmUp) return;
  const seconds = (performance.now() - before.atMs) / 1000;
  const own = process.cpuUsage(before.own);
  const server = cpuMicrosOf(temporal);
  (row.perSecond ??= []).push(ended / seconds);
  (row.cpuMicros ??= []).push((own.user + own.system) / ended);
  if (server !== null && before.server !== null) (row.standInMicros ??= []).push((server - before.server) / ended);
}

/** Answers with how many ended, once all that were started have. */
async function runFor(durationMs: number, start: () => Promise<unknown>): Promise<number> {
  const untilMs = performance.now() + durationMs;
  let ended = 0;
  let underWay = UNDER_WAY;
  await new Promise<void>((resolve, reject) => {
    const next = () => void start().catch(reject);
    onEnd = () => {
      ended += 1;
      if (performance.now() < untilMs) return next();
      underWay -= 1;
      if (underWay === 0) resolve();
    };
    for (let i = 0; i < UNDER_WAY; i++) next();
  });
  return ended;
}

function bareWorkflow(): Contender {
  return {
    row: { part: "d", what: "bare workflow", load: "1 timer, 1 activity" },
    start: (client) =>
      client.workflow.start("bare", { taskQueue: BARE_TASK_QUEUE, workflowId: `bare:${randomUUID()}` }),
  };
}

const definitions = new Map<string, JourneyDefinition>();

function journeyOf(load: string, messages: number): Contender {
  const schedule = Array.from({ length: messages }, (_, i) => ({
    delay_minutes: ((i + 1) * DELAY_MS) / 60_000,
    action: "email:bench",
  }));
  const compiled = compileCampaign({ campaign_id: `bench-${messages}`, trigger: "cart_abandonment", schedule });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  const { definition, hash, campaign } = compiled;
  definitions.set(campaign.campaign_id, definition);
  return {
    row: { part: "d", what: "journey", load, note: "as many timers as messages" },
    start(client) {
      const input = inputOf(campaign.campaign_id, hash);
      return client.workflow.start(JOURNEY_WORKFLOW, {
        taskQueue: JOURNEY_TASK_QUEUE,
        workflowId: `j:${input.run_id}`,
        args: [input],
      });
    },
  };
}

function inputOf(campaignId: string, hash: string): JourneyInput {
  const run_id = randomUUID();
  const entry = { event_id: run_id, event_type: "add_to_cart", at: new Date().toISOString(), key: "" };
  return {
    client_id: "bench",
    campaign_id: campaignId,
    version: 1,
    definition_hash: hash,
    run_id,
    entry,
    request_id: run_id,
  };
}

async function createWorkers(connection: NativeConnection): Promise<Worker[]> {
  const activities: JourneyActivities = {
    async loadDefinition({ campaign_id }) {
      const definition = definitions.get(campaign_id)!;
      return { definition, hash: hashDefinition(definition) };
    },
    sendMessage: async (request) => ({ outcome: "submitted", delivery_id: request.run_id }),
    readPerson: async () => ({ attributes: {}, last_seen_at: null, last_event_at: {} }),
    endRun: async () => onEnd(),
  };
  const workflowsPath = fileURLToPath(new URL("../workflows/bare.ts", import.meta.url));
  const silent = new DefaultLogger("ERROR");
  return Promise.all([
    Worker.create({
      connection,
      taskQueue: BARE_TASK_QUEUE,
      workflowBundle: await bundleWorkflowCode({ workflowsPath, logger: silent }),
      activities: { done: async () => onEnd() },
    }),
    Worker.create({
      connection,
      taskQueue: JOURNEY_TASK_QUEUE,
      workflowBundle: await bundleWorkflows("journeys.ts"),
      activities,
    }),
  ]);
}
