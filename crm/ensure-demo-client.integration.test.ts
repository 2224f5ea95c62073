import { and, eq } from "drizzle-orm";
import { afterAll, expect, test } from "vitest";

import { hashApiKey } from "../core/api-key.ts";
import { apiKeys, campaigns, campaignVersions } from "../platform/postgres/schema.ts";
import { createTestContext } from "../test/support/context.ts";
import { DEMO_CLIENT_ID, ensureDemoClient } from "./ensure-demo-client.ts";

const ctx = createTestContext({ LIVORA_LOG_LEVEL: "silent" });
afterAll(() => ctx.close());

test("the demo client is made once and then left as its owner wants it", async () => {
  const options = { api_key: `lv_demo_${crypto.randomUUID()}`, reminderMs: 6_000, couponMs: 14_000 };
  const { campaign_id } = await ensureDemoClient(ctx, options);
  const isIt = and(eq(campaigns.client_id, DEMO_CLIENT_ID), eq(campaigns.id, campaign_id));
  await ctx.db.update(campaigns).set({ state: "paused", name: "Mine" }).where(isIt);
  await ensureDemoClient(ctx, options);
  const [campaign] = await ctx.db.select().from(campaigns).where(isIt);
  expect(campaign).toMatchObject({ state: "paused", name: "Mine", current_version: 1 });
  const versions = await ctx.db.select().from(campaignVersions).where(eq(campaignVersions.client_id, DEMO_CLIENT_ID));
  expect(versions).toHaveLength(1);
  const [key] = await ctx.db
    .select()
    .from(apiKeys)
    .where(eq(apiKeys.key_hash, hashApiKey(options.api_key)));
  expect(key).toMatchObject({ client_id: DEMO_CLIENT_ID, scopes: ["ingest", "read", "admin", "operator"] });
  expect(JSON.stringify(key)).not.toContain(options.api_key);
});
