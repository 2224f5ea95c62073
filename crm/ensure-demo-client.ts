import type { Logger } from "../platform/logger.ts";
import type { Redis } from "ioredis";

import { API_SCOPES } from "../core/api-key.ts";
import { templatesOf } from "../core/campaign.ts";
import { isAppError } from "../core/errors.ts";
import { compileDraft } from "./compile-draft.ts";
import type { CrmContext } from "./context.ts";
import { createCampaign } from "./create-campaign.ts";
import { demoCampaign, DEMO_TEMPLATES } from "./demo-campaign.ts";
import { ensureApiKey, ensureClient, type OwnerContext } from "./ensure-client.ts";
import { getTemplate } from "./get-template.ts";
import { publishCampaign } from "./publish-campaign.ts";
import { putTemplate } from "./put-template.ts";

export const DEMO_CLIENT_ID = "demo";

export interface DemoOptions {
  api_key: string;
  /** After the cart was left. */
  reminderMs: number;
  couponMs: number;
}

/**
 * The client that `npm start` shows Livora with: its key, its templates and a published cart-abandonment campaign. At
 * the next start all of it is as its owner left it: templates that were changed, a campaign that was paused.
 */
export async function ensureDemoClient(
  ctx: OwnerContext & { redis: Redis; log: Logger },
  { api_key, reminderMs, couponMs }: DemoOptions,
): Promise<{ client_id: string; campaign_id: string }> {
  await ensureClient(ctx, { client_id: DEMO_CLIENT_ID, name: "A little shop" });
  await ensureApiKey(ctx, { client_id: DEMO_CLIENT_ID, api_key });
  const demo = actFor(ctx, DEMO_CLIENT_ID);
  await ensureTemplates(demo);
  return { client_id: DEMO_CLIENT_ID, campaign_id: await ensureDemoCampaign(demo, { reminderMs, couponMs }) };
}

/** Publishes the campaign of the seeds with delays of seconds. The same delays again change nothing. */
export async function ensureDemoCampaign(
  ctx: CrmContext,
  delays: Pick<DemoOptions, "reminderMs" | "couponMs">,
): Promise<string> {
  const { campaign_id } = await createCampaign(ctx, demoCampaign(delays));
  await publishCampaign(ctx, { id: campaign_id });
  return campaign_id;
}

/** As a part of Livora itself, for one client. */
function actFor(ctx: OwnerContext & { redis: Redis; log: Logger }, client_id: string): CrmContext {
  const journeys = {
    resumeCampaign: () => Promise.reject(new Error("nothing is resumed here")),
    whereIs: () => Promise.resolve(null),
  };
  return { ...ctx, journeys, principal: { client_id, actor: "livora:start", scopes: API_SCOPES, request_id: "start" } };
}

async function ensureTemplates(ctx: CrmContext): Promise<void> {
  const { definition } = compileDraft(demoCampaign({ reminderMs: 0, couponMs: 0 }));
  for (const { channel, template: name } of templatesOf(definition)) {
    const content = DEMO_TEMPLATES[`${channel}:${name}`];
    if (content && !(await hasTemplate(ctx, { channel, name }))) await putTemplate(ctx, { channel, name, content });
  }
}

async function hasTemplate(ctx: CrmContext, key: Parameters<typeof getTemplate>[1]): Promise<boolean> {
  try {
    await getTemplate(ctx, key);
    return true;
  } catch (error) {
    if (isAppError(error, "not_found")) return false;
    throw error;
  }
}
