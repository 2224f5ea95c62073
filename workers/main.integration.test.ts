import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";

import { compileCampaign } from "../core/campaign.ts";
import type { Part } from "../infra/local/parts/part.ts";
import { startTemporal } from "../infra/local/parts/temporal.ts";
import { findFreePorts } from "../infra/local/ports.ts";
import { makeTemporaryFolder } from "../infra/local/temporary-folder.ts";
import type { Config } from "../platform/config.ts";
import { campaignVersions, deliveries, journeyRuns } from "../platform/postgres/schema.ts";
import { connectJourneys } from "../platform/temporal.ts";
import { createDeliveryScene, type DeliveryScene } from "../test/support/delivery-scene.ts";
import { waitUntil } from "../test/support/wait-until.ts";

const RUNS = 40;
const folder = makeTemporaryFolder();
const services: ChildProcess[] = [];
let scene: DeliveryScene;
let temporal: Part;
let config: Config;

beforeAll(async () => {
  // A Temporal of its own: the shared one's queues are other tests'.
  const [port = 0] = await findFreePorts(1);
  const dir = join(folder, "temporal");
  temporal = await startTemporal({ dir, port, webPort: null, log: join(folder, "temporal.log") });
  await temporal.ready();
  scene = await createDeliveryScene();
  config = { ...scene.ctx.config, LIVORA_TEMPORAL_ADDRESS: `127.0.0.1:${port}`, LIVORA_WORKERS_METRICS_PORT: 0 };
});
afterAll(async () => {
  for (const service of services) service.kill("SIGKILL");
  await scene.close();
  await temporal.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** `workers/main.ts` as a process of its own, once its workers poll. */
async function startService() {
  const settings = Object.entries({ ...config, LIVORA_LOG_LEVEL: "info" }).map(([key, value]) => [key, String(value)]);
  const env = { ...process.env, ...Object.fromEntries(settings) };
  const child = spawn(process.execPath, ["workers/main.ts"], { env, stdio: ["ignore", "pipe", "inherit"] });
  services.push(child);
  const said: string[] = [];
  createInterface(child.stdout).on("line", (line) => said.push((JSON.parse(line) as { msg: string }).msg));
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  await waitUntil(() => said.includes("ready"), { timeoutMs: 150_000, what: "the workers are ready" });
  return { child, said, exited };
}

async function startRuns(): Promise<void> {
  const nodes = {
    m1: { type: "message", channel: "sms", template: "reminder", next: "end" },
    end: { type: "exit" },
  };
  const compiled = compileCampaign({ campaign_id: "camp", trigger: "event:go", journey: { start: "m1", nodes } });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  const { client_id, ctx } = scene;
  const { hash, definition: journey, campaign: source } = compiled;
  await ctx.db.insert(campaignVersions).values({ client_id, campaign_id: "camp", version: 1, source, hash, journey });
  const journeys = connectJourneys(config);
  await Promise.all(
    Array.from({ length: RUNS }, async () => {
      const { run_id, decided_at: at, request_id } = await scene.addRun("sms");
      const entry = { event_id: "e", event_type: "go", at, key: "" };
      const run = { client_id, campaign_id: "camp", version: 1, definition_hash: hash, run_id, entry, request_id };
      await journeys.start(`j:${run_id}`, run);
    }),
  );
  await journeys.close();
}

const ofClient = () => scene.ctx.db.query.journeyRuns.findMany({ where: eq(journeyRuns.client_id, scene.client_id) });

test("SIGTERM under load: what is under way is brought to its end, the process ends with 0, and the next goes on", async () => {
  const first = await startService();
  await scene.setFault({ provider: "twilio", mode: "delay", times: RUNS, delay_ms: 400 });
  await startRuns();
  const ledger = () => scene.ctx.db.query.deliveries.findMany({ where: eq(deliveries.client_id, scene.client_id) });
  await waitUntil(async () => (await ledger()).some(({ state }) => state === "submitting"));
  first.child.kill("SIGTERM");
  expect(await first.exited).toBe(0);
  expect(first.said.at(-1)).toBe("stopped");
  // Nothing that was begun is left half done: a message of unknown fate would be one that nobody waited for.
  const left = await ledger();
  expect(left.filter(({ state }) => state === "submitting" || state === "unknown")).toEqual([]);
  const sentByFirst = (await scene.outbox()).length;
  expect(sentByFirst).toBeGreaterThan(0);

  const second = await startService();
  await waitUntil(async () => (await ofClient()).every(({ state }) => state === "completed"), { timeoutMs: 60_000 });
  const fates = (await ledger()).map(({ state, reason }) => ({ state, reason }));
  expect(fates.filter(({ state }) => state !== "submitted" && state !== "delivered")).toEqual([]);
  const messages = await scene.outbox();
  expect(messages).toHaveLength(RUNS);
  expect(new Set(messages.map((message) => message.to)).size).toBe(RUNS);
  second.child.kill("SIGTERM");
  expect(await second.exited).toBe(0);
}, 400_000);
