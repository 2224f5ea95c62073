import { z } from "zod";

import { campaignIdSchema } from "../core/campaign.ts";
import type { CampaignRow } from "./find-campaign.ts";
import { isoTime, timeSchema } from "./page.ts";

export const CAMPAIGN_STATES = ["draft", "active", "paused", "archived"] as const;

export const warningSchema = z
  .object({ path: z.string(), reason: z.string() })
  .meta({ id: "Warning", description: "Nothing that keeps it from running, but perhaps not what was meant." });

export type Warning = z.infer<typeof warningSchema>;

export const campaignViewSchema = z
  .object({
    campaign_id: campaignIdSchema,
    name: z.string(),
    state: z.enum(CAMPAIGN_STATES),
    current_version: z.int().nullable().meta({ description: "What new entries run; null until the first publish." }),
    draft: z.record(z.string(), z.unknown()).meta({ description: "The campaign JSON that the next publish takes." }),
    created_at: timeSchema,
    updated_at: timeSchema,
  })
  .meta({ id: "CampaignView" });

export type CampaignView = z.infer<typeof campaignViewSchema>;

export function viewCampaign(row: CampaignRow): CampaignView {
  const { id, name, state, current_version, draft } = row;
  return {
    campaign_id: id,
    name,
    state,
    current_version,
    draft: draft as Record<string, unknown>,
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
  };
}

export const campaignStateSchema = z
  .object({ campaign_id: campaignIdSchema, state: z.enum(CAMPAIGN_STATES), current_version: z.int().nullable() })
  .meta({ id: "CampaignState" });

export type CampaignState = z.infer<typeof campaignStateSchema>;
