import { and, eq, inArray, sql } from "drizzle-orm";

import { CAMPAIGNS_CHANNEL } from "../../../core/contracts/campaign.ts";
import type { JourneyDefinition } from "../../../core/journey/definition.ts";
import type { Context } from "../../../platform/context.ts";
import { campaigns, campaignVersions } from "../../../platform/postgres/schema.ts";
import { compileRules, nameOf, type OpenCampaign, type Rules, type Version } from "./rules.ts";

/** Of rules for events from before they were read: a pause, too, is to be heard of soon. */
const MAX_AGE_MS = 1_000;

export interface CampaignIndex {
  /**
   * The rules for events that the edge received up to a time (epoch milliseconds): whatever was published before then is
   * among them. Throws where PostgreSQL is away.
   */
  read(receivedUpToMs: number): Promise<Rules>;
  close(): Promise<void>;
}

/** All campaigns that can start or end runs, compiled. Versions never change, so each is read once. */
export function createCampaignIndex(ctx: Pick<Context, "db" | "redis" | "log">): CampaignIndex {
  const versions = new Map<string, Version>();
  let rules: Rules | null = null;
  let readAtMs = 0;
  /** The same moment in `performance.now()`: by it they grow old, also when the wall's clock is set back. */
  let readTickMs = 0;
  let shape = "";
  let reading: Promise<Rules> | null = null;
  const subscriber = subscribe(ctx, () => (readAtMs = 0));

  async function refresh(): Promise<Rules> {
    const startedAtMs = Date.now();
    const startedTickMs = performance.now();
    const current = await listCampaigns(ctx);
    const newShape = JSON.stringify(current);
    if (rules === null || newShape !== shape) {
      await loadVersions(ctx, versions, current);
      rules = compileRules([...versions.values()], openCampaigns(versions, current));
      shape = newShape;
      ctx.log.debug({ campaigns: current.length, versions: versions.size }, "campaign rules");
    }
    readAtMs = startedAtMs;
    readTickMs = startedTickMs;
    return rules;
  }

  return {
    async read(receivedUpToMs) {
      // The edge's clock may be ahead of ours.
      const receivedAtMs = Math.min(receivedUpToMs, Date.now() - 1);
      for (;;) {
        const isYoung = performance.now() - readTickMs < MAX_AGE_MS;
        if (rules !== null && isYoung && readAtMs > receivedAtMs) return rules;
        // One that is under way may have begun too early.
        if (reading) await reading;
        else await (reading = refresh().finally(() => (reading = null)));
      }
    },
    close: () => subscriber.close(),
  };
}

interface CampaignRow {
  client_id: string;
  id: string;
  state: string;
  current_version: number | null;
}

async function listCampaigns({ db }: Pick<Context, "db">): Promise<CampaignRow[]> {
  const { client_id, id, state, current_version } = campaigns;
  const published = and(inArray(state, ["active", "paused"]), sql`${current_version} is not null`);
  return db.select({ client_id, id, state, current_version }).from(campaigns).where(published).orderBy(client_id, id);
}

async function loadVersions(
  { db, log }: Pick<Context, "db" | "log">,
  known: Map<string, Version>,
  current: CampaignRow[],
): Promise<void> {
  const { client_id, campaign_id, version, hash, journey } = campaignVersions;
  for (const campaign of current) {
    if (known.has(keyOf(campaign.client_id, campaign.id, campaign.current_version!))) continue;
    const rows = await db
      .select({ client_id, campaign_id, version, hash, journey })
      .from(campaignVersions)
      .where(and(eq(client_id, campaign.client_id), eq(campaign_id, campaign.id)));
    for (const { journey, ...row } of rows) {
      const loaded = { ...row, definition: journey as JourneyDefinition };
      if (canRun(loaded, log)) known.set(keyOf(row.client_id, row.campaign_id, row.version), loaded);
    }
  }
}

/** One version that this code cannot read, newer than itself perhaps, is left out; it does not stop all others. */
function canRun(version: Version, log: Context["log"]): boolean {
  try {
    const { trigger, re_entry } = version.definition;
    compileRules([version], [{ ...version, paused: false, trigger, re_entry }]);
    return true;
  } catch (error) {
    const { client_id, campaign_id, version: number } = version;
    log.error({ client_id, campaign_id, version: number, err: (error as Error).message }, "version left out");
    return false;
  }
}

function openCampaigns(versions: ReadonlyMap<string, Version>, current: readonly CampaignRow[]): OpenCampaign[] {
  return current.flatMap(({ client_id, id, state, current_version }) => {
    const version = versions.get(keyOf(client_id, id, current_version!));
    if (version === undefined) return [];
    const { trigger, re_entry } = version.definition;
    return [{ ...version, paused: state === "paused", trigger, re_entry }];
  });
}

function keyOf(clientId: string, campaignId: string, version: number): string {
  return `${clientId}\n${nameOf({ campaign_id: campaignId, version })}`;
}

/** A connection of its own, because one that listens can do nothing else. Without Redis the age alone decides. */
function subscribe({ redis, log }: Pick<Context, "redis" | "log">, onNudge: () => void): { close(): Promise<void> } {
  const listener = redis.duplicate({ lazyConnect: true, maxRetriesPerRequest: null });
  listener.on("error", (error: Error) => log.debug({ err: error.message }, "campaign nudges"));
  listener.on("message", onNudge);
  listener
    .subscribe(CAMPAIGNS_CHANNEL)
    .catch((error: unknown) => log.debug({ err: (error as Error).message }, "campaign nudges"));
  return {
    async close() {
      listener.disconnect();
    },
  };
}
