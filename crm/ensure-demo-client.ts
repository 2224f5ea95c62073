import type { Logger } from "../platform/logger.ts";
import type { Redis } from "ioredis";

import { API_SCOPES } from "../core/api-key.ts";
import type { CrmContext } from "./context.ts";
import { createCampaign } from "./create-campaign.ts";
import { demoCampaign } from "./demo-campaign.ts";
import { isAppError } from "../core/errors.ts";
import { getCampaign } from "./get-campaign.ts";
import { ensureApiKey, ensureClient, type OwnerContext } from "./ensure-client.ts";
import { publishCampaign } from "./publish-campaign.ts";

export const DEMO_CLIENT_ID = "demo";

export interface DemoOptions {
  api_key: string;
  /** After the cart was left. */
  reminderMs: number;
  couponMs: number;
}

/**
 * The client that `npm start` shows Livora with: its key and a published cart-abandonment campaign, which at the next
 * start is as its owner has left it. Its templates are the starters that every client has.
 */
export async function ensureDemoClient(
  ctx: OwnerContext & { redis: Redis; log: Logger },
  { api_key, reminderMs, couponMs }: DemoOptions,
): Promise<{ client_id: string; campaign_id: string }> {
  await ensureClient(ctx, { client_id: DEMO_CLIENT_ID, name: "A little shop" });
  // Whoever has the demo's key has the machine.
  await ensureApiKey(ctx, { client_id: DEMO_CLIENT_ID, api_key, scopes: [...API_SCOPES] });
  const demo = actFor(ctx, DEMO_CLIENT_ID);
  return { client_id: DEMO_CLIENT_ID, campaign_id: await ensureDemoCampaign(demo, { reminderMs, couponMs }) };
}

/** Publishes the campaign of the seeds with delays of seconds, where there is none yet. */
async function ensureDemoCampaign(
  ctx: CrmContext,
  delays: Pick<DemoOptions, "reminderMs" | "couponMs">,
): Promise<string> {
  const campaign = demoCampaign(delays);
  const { campaign_id } = campaign;
  if (await hasCampaign(ctx, campaign_id)) return campaign_id;
  await createCampaign(ctx, campaign);
  await publishCampaign(ctx, { id: campaign_id });
  return campaign_id;
}

/** Published, that is: a start may have been cut off between the two. */
async function hasCampaign(ctx: CrmContext, id: string): Promise<boolean> {
  try {
    return (await getCampaign(ctx, { id })).current_version !== null;
  } catch (error) {
    if (isAppError(error, "not_found")) return false;
    throw error;
  }
}

/** As a part of Livora itself, for one client. */
function actFor(ctx: OwnerContext & { redis: Redis; log: Logger }, client_id: string): CrmContext {
  const journeys = {
    resumeCampaign: () => Promise.reject(new Error("nothing is resumed here")),
    whereIs: () => Promise.resolve(null),
  };
  const replays = {
    start: () => Promise.reject(new Error("nothing is replayed here")),
    signal: () => Promise.resolve(false),
    progress: () => Promise.resolve(null),
  };
  const principal = { client_id, actor: "livora:start", scopes: API_SCOPES, request_id: "start" };
  return { ...ctx, journeys, replays, principal };
}
