import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";

import { Client, Connection } from "@temporalio/client";
import { DefaultLogger, NativeConnection, Runtime, Worker } from "@temporalio/worker";
import { sql } from "drizzle-orm";

import { createCampaignActivities } from "../../activities/campaign.ts";
import { createJourneyActivities } from "../../activities/journey.ts";
import { type AutomationConsumer, createAutomationConsumer } from "../../analytics/stream/automation/consumer.ts";
import { compileCampaign } from "../../core/campaign.ts";
import { RESUME_CAMPAIGN_WORKFLOW, type ResumeCampaignInput, resumeCampaignId } from "../../core/contracts/campaign.ts";
import { JOURNEY_TASK_QUEUE, type SendOutcome, type SendRequest } from "../../core/contracts/journey.ts";
import type { Fences } from "../../core/fence.ts";
import { findFreePorts } from "../../infra/local/ports.ts";
import { signalProcess } from "../../infra/local/process.ts";
import { startTemporal } from "../../infra/local/parts/temporal.ts";
import { makeTemporaryFolder } from "../../infra/local/temporary-folder.ts";
import type { Context } from "../../platform/context.ts";
import { campaigns, campaignVersions, clients, journeyRuns } from "../../platform/postgres/schema.ts";
import { connectJourneys } from "../../platform/temporal.ts";
import { createUserStore } from "../../platform/user-store.ts";
import { bundleWorkflows } from "../../workers/bundle.ts";
import { errorInterceptor } from "../../workers/error-interceptor.ts";
import { createIsolatedContext } from "./context.ts";
import { makeEnriched, toEntry } from "./enriched-events.ts";
import { waitUntil } from "./wait-until.ts";

export interface ShopEvent {
  type: string;
  user?: string;
  anon?: string;
  /** All keys of the person; those of `user` and `anon` unless told. */
  keys?: string[];
  at?: number;
  props?: Record<string, unknown>;
}

/** The automation consumer and the journeys' worker on the real stores and a Temporal of their own, which may be killed. */
export async function createJourneyStack() {
  Runtime.install({ logger: new DefaultLogger("ERROR"), shutdownSignals: [] });
  const folder = makeTemporaryFolder();
  const [port] = await findFreePorts(1);
  const temporalOptions = {
    dir: join(folder, "temporal"),
    port: port!,
    webPort: null,
    log: join(folder, "temporal.log"),
  };
  let temporal = await startTemporal(temporalOptions);
  await temporal.ready();
  const ctx = await createIsolatedContext({
    LIVORA_TEMPORAL_ADDRESS: `127.0.0.1:${port}`,
    LIVORA_TEMPORAL_NAMESPACE: "default",
  });
  const journeys = connectJourneys(ctx.config);
  const sent: SendRequest[] = [];
  const worker = await startWorker(ctx, sent, journeys);
  const client = `shop-${randomBytes(4).toString("hex")}`;
  await ctx.db.insert(clients).values({ id: client, name: "Shop" });
  let consumer: AutomationConsumer = createAutomationConsumer(ctx, { sweepEveryMs: 500 });
  let fences: Fences = {};
  let number = 0;

  return {
    ctx,
    client,
    sent,
    journeys,
    /** Publishes a version of a campaign, as the API does. */
    publish: (source: object, state: "active" | "paused" = "active") => publish(ctx, client, source, state),
    async setState(id: string, state: "active" | "paused") {
      await ctx.db.execute(sql`update campaigns set state = ${state} where client_id = ${client} and id = ${id}`);
      await ctx.redis.publish("livora:campaigns", client);
    },
    /** One batch of the stream "enriched". `again`: as after a crash before the checkpoint. */
    async feed(events: readonly ShopEvent[], { again = false } = {}) {
      const first = again ? number - events.length : number;
      const entries = events.map((event, i) => toEntry(enrich(client, event, first + i), first + i));
      number = first + events.length;
      const signal = new AbortController().signal;
      const state = again ? {} : fences;
      fences = await consumer.handle({ shard: "shard-0", entries, state, signal });
    },
    /** As the API has it done. */
    resume(campaignId: string): Promise<number> {
      const input: ResumeCampaignInput = { client_id: client, campaign_id: campaignId };
      const workflowId = resumeCampaignId(client, campaignId);
      const options = { workflowId, taskQueue: JOURNEY_TASK_QUEUE, args: [input] };
      return withTemporal(ctx, ({ workflow }) => workflow.execute(RESUME_CAMPAIGN_WORKFLOW, options));
    },
    /** As somebody may do in Temporal Web. */
    async terminate(workflowId: string) {
      await withTemporal(ctx, ({ workflow }) => workflow.getHandle(workflowId).terminate());
    },
    /** As a Temporal that has lost its history, or a part of it. */
    async forget(workflowId: string) {
      await withTemporal(ctx, ({ connection }) =>
        connection.workflowService.deleteWorkflowExecution({
          namespace: ctx.config.LIVORA_TEMPORAL_NAMESPACE,
          workflowExecution: { workflowId },
        }),
      );
    },
    /** As somebody may do there too: one execution ends, another goes on from its first step. */
    async reset(workflowId: string) {
      await withTemporal(ctx, async ({ connection, workflow }) => {
        const readFirstStep = async () => {
          const { events } = await workflow.getHandle(workflowId).fetchHistory();
          return events?.find((event) => event.workflowTaskCompletedEventAttributes) ?? null;
        };
        await waitUntil(async () => (await readFirstStep()) !== null);
        const firstStep = await readFirstStep();
        await connection.workflowService.resetWorkflowExecution({
          namespace: ctx.config.LIVORA_TEMPORAL_NAMESPACE,
          workflowExecution: { workflowId },
          workflowTaskFinishEventId: firstStep!.eventId!,
          requestId: randomBytes(8).toString("hex"),
        });
      });
    },
    runs: () =>
      ctx.db.query.journeyRuns.findMany({ where: sql`client_id = ${client}`, orderBy: journeyRuns.created_at }),
    async killTemporal() {
      signalProcess(temporal.pid, "SIGKILL");
      await temporal.stop().catch(() => undefined);
    },
    async startTemporal() {
      temporal = await startTemporal(temporalOptions);
      await temporal.ready();
    },
    async restartConsumer() {
      await consumer.close();
      consumer = createAutomationConsumer(ctx, { sweepEveryMs: 500 });
    },
    async close() {
      await consumer.close();
      await worker.stop();
      await journeys.close();
      await temporal.stop();
      await ctx.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function withTemporal<T>(ctx: Context, work: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: ctx.config.LIVORA_TEMPORAL_ADDRESS });
  try {
    return await work(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

/** Delivery stands aside here: what would be handed over is only remembered, but the run and the campaign are asked. */
async function startWorker(ctx: Context, sent: SendRequest[], journeys: ReturnType<typeof connectJourneys>) {
  const connection = await NativeConnection.connect({ address: ctx.config.LIVORA_TEMPORAL_ADDRESS });
  const deliver = async (request: SendRequest): Promise<SendOutcome> => {
    const [row] = await ctx.db.execute<{ run: string; campaign: string }>(sql`
      select run.state as run, campaign.state as campaign from journey_runs run join campaigns campaign
      on campaign.client_id = run.client_id and campaign.id = run.campaign_id where run.id = ${request.run_id}`);
    if (row?.run === "held" || row?.campaign === "paused") return { outcome: "held", reason: "campaign_paused" };
    if (row?.run !== "active") return { outcome: "stopped", reason: row?.run ?? "gone" };
    sent.push(request);
    return { outcome: "submitted", delivery_id: request.run_id };
  };
  const worker = await Worker.create({
    connection,
    taskQueue: JOURNEY_TASK_QUEUE,
    workflowBundle: await bundleWorkflows("journeys.ts"),
    activities: {
      ...createJourneyActivities({ ctx, store: createUserStore(ctx), deliver }),
      ...createCampaignActivities({ ctx, journeys }),
    },
    interceptors: { activity: [() => ({ inbound: errorInterceptor })] },
  });
  const running = worker.run();
  return {
    async stop() {
      worker.shutdown();
      await running;
      await connection.close();
    },
  };
}

async function publish(ctx: Context, client: string, source: object, state: "active" | "paused"): Promise<string> {
  const compiled = compileCampaign(source);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  const { campaign_id: id } = compiled.campaign;
  const common = { client_id: client, source: compiled.campaign, hash: compiled.hash, journey: compiled.definition };
  const values = { client_id: client, id, name: id, state, draft: source, current_version: 1 };
  await ctx.db.insert(campaigns).values(values);
  await ctx.db.insert(campaignVersions).values({ ...common, campaign_id: id, version: 1 });
  await ctx.redis.publish("livora:campaigns", client);
  return id;
}

function enrich(clientId: string, event: ShopEvent, number: number): Buffer {
  const user_id = event.user ?? null;
  const anon_id = event.anon ?? null;
  const own = [...(user_id === null ? [] : [`user:${user_id}`]), ...(anon_id === null ? [] : [`anon:${anon_id}`])];
  const person = { key: own[0]!, user_id, anon_id, keys: event.keys ?? own };
  return makeEnriched({
    clientId,
    number,
    // Places are this test's own, and so are dead letters.
    sourceShard: clientId,
    timestampMs: event.at ?? Date.now(),
    enrichment: { person, lane: number % 4 },
    event: { event_type: event.type, user_id, anon_id, props: event.props ?? {} },
  });
}
