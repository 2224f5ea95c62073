import { Client, Connection } from "@temporalio/client";
import { afterAll, expect, test } from "vitest";

import { RESUME_CAMPAIGN_WORKFLOW, resumeCampaignId } from "../core/contracts/campaign.ts";
import { createLogger } from "../platform/logger.ts";
import { stackConfig } from "../test/support/stack-config.ts";
import { connectJourneyClient } from "./journey-client.ts";

const silent = createLogger("test", { LIVORA_LOG_LEVEL: "silent" });
const config = stackConfig();
const journeys = connectJourneyClient(config, silent);
const away = connectJourneyClient({ ...config, LIVORA_TEMPORAL_ADDRESS: "127.0.0.1:1" }, silent);
const connection = Connection.lazy({ address: config.LIVORA_TEMPORAL_ADDRESS });
afterAll(() => Promise.all([journeys.close(), away.close(), connection.close()]));

test("resuming twice ends the first waking and begins it anew", async () => {
  const input = { client_id: `resume-${crypto.randomUUID()}`, campaign_id: "camp_123" };
  await journeys.resumeCampaign(input);
  const { workflow } = new Client({ connection, namespace: config.LIVORA_TEMPORAL_NAMESPACE });
  const workflowId = resumeCampaignId(input.client_id, input.campaign_id);
  const first = await workflow.getHandle(workflowId).describe();
  await journeys.resumeCampaign(input);
  const second = await workflow.getHandle(workflowId).describe();
  expect(second).toMatchObject({ type: RESUME_CAMPAIGN_WORKFLOW, status: { name: "RUNNING" } });
  expect(second.runId).not.toBe(first.runId);
  expect((await workflow.getHandle(workflowId, first.runId).describe()).status.name).toBe("TERMINATED");
  await workflow.getHandle(workflowId).terminate();
});

test("a run without a workflow stands nowhere", async () => {
  expect(await journeys.whereIs(`j:nobody:${crypto.randomUUID()}`, 2_000)).toBeNull();
});

test("while Temporal is away a run does not answer, and resuming says to ask again", async () => {
  const startedAt = Date.now();
  expect(await away.whereIs("j:any", 500)).toBeNull();
  expect(Date.now() - startedAt).toBeLessThan(30_000);
  const attempt = away.resumeCampaign({ client_id: "a", campaign_id: "b" });
  await expect(attempt).rejects.toMatchObject({ code: "unavailable", retryAfterMs: 2_000 });
});
