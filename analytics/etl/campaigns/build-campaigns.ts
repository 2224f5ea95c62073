import { and, eq, sql } from "drizzle-orm";

import { readAttributionWindow } from "../../../core/campaign-performance.ts";
import type { Database } from "../../../platform/postgres/database.ts";
import { builds } from "../../../platform/postgres/schema.ts";
import type { Transaction } from "../../../platform/postgres/tenant.ts";
import { readDataVersion } from "../../ad-hoc/data-version.ts";
import { findClient, type PartitionRow } from "../book.ts";
import { bookBuild, NO_DAY, sourcesOf } from "../book-build.ts";
import type { EtlDeps } from "../deps.ts";
import { readTimeZone } from "../../read-time-zone.ts";
import { insertArms } from "./arms.ts";
import { insertMessages } from "./messages.ts";
import { findOwners, type People, stageOwners } from "./people.ts";

const NAME = "campaign_performance";
/** Another one counts all campaigns anew. */
const VERSION = 1;

/**
 * Counts the client's campaigns anew where the ledger, the runs' arms, the purchases or whose a device is have changed: whom a purchase
 * is attributed to may change by what another campaign has sent. Answers how many aggregates were replaced.
 */
export async function buildCampaigns(deps: EtlDeps, clientId: string, hours: readonly PartitionRow[]): Promise<number> {
  const { db } = deps.ctx;
  const timeZone = await readTimeZone(db, clientId);
  const windows = await readWindows(db, clientId);
  if (windows.length === 0) return 0;
  const { links_version } = await findClient(db, clientId);
  // Read before the build: what comes in between makes it stale again, never wrongly fresh.
  const digest = [VERSION, timeZone, links_version, JSON.stringify(windows), await readVersion(db, clientId)].join(" ");
  const where = and(eq(builds.client_id, clientId), eq(builds.aggregate, NAME), eq(builds.day, NO_DAY));
  if ((await db.query.builds.findFirst({ where }))?.digest === digest) return 0;
  const owners = await findOwners(deps, clientId);
  await db.transaction(async (tx) => {
    const rows = await replaceCampaigns(tx, clientId, { timeZone, windows, owners });
    const sources = sourcesOf(hours);
    await bookBuild(tx, { client_id: clientId, aggregate: NAME, day: NO_DAY, digest, sources, rows });
  });
  return 1;
}

export interface CampaignWindow {
  campaign_id: string;
  window_ms: number;
}

/** Replaces both tables' rows of the client; answers how many there are. */
export async function replaceCampaigns(
  tx: Transaction,
  clientId: string,
  { timeZone, windows, owners }: { timeZone: string; windows: readonly CampaignWindow[]; owners: People },
): Promise<number> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`${NAME} ${clientId}`}, 0))`);
  await stageOwners(tx, owners);
  await tx.execute(sql`create temp table windows on commit drop as
    select campaign_id, window_ms * interval '1 millisecond' as length
    from jsonb_to_recordset(${JSON.stringify(windows)}::text::jsonb) as row(campaign_id text, window_ms bigint)`);
  await tx.execute(sql`create temp table runs on commit drop as
    select run.id, run.campaign_id, run.arm, run.entered_at, coalesce(owners.person, run.person_key) as person
    from journey_runs run left join owners using (person_key) where run.client_id = ${clientId}`);
  // Nobody else analyses temporary tables, and without knowing how many there are PostgreSQL joins them row by row.
  await tx.execute(sql`analyze owners, windows, runs`);
  return (await insertMessages(tx, clientId, timeZone)) + (await insertArms(tx, clientId, timeZone));
}

/** Of what is published, else of the draft. */
async function readWindows(db: Database, clientId: string): Promise<CampaignWindow[]> {
  const rows = await db.execute<{ id: string; source: unknown }>(sql`
    select campaign.id, coalesce(version.source, campaign.draft) as source
    from campaigns campaign left join campaign_versions version on version.client_id = campaign.client_id
      and version.campaign_id = campaign.id and version.version = campaign.current_version
    where campaign.client_id = ${clientId} order by campaign.id`);
  return rows.map(({ id, source }) => ({ campaign_id: id, window_ms: readAttributionWindow(source) }));
}

/** Changes with every message, run and purchase. */
async function readVersion(db: Database, clientId: string): Promise<string> {
  const purchases = await db.transaction((tx) => readDataVersion(tx, clientId, { aggregates: ["purchases"] }));
  const [row] = await db.execute<{ ledger: string; runs: string }>(sql`
    select
      (select count(*) || ' ' || coalesce(max(updated_at)::text, '') from deliveries where client_id = ${clientId}) as ledger,
      (select count(*) || ' ' || coalesce(sum(hashtextextended(concat_ws(' ', id, arm, person_key), 0)), 0)
        from journey_runs where client_id = ${clientId}) as runs`);
  return [purchases, row!.ledger, row!.runs].join(" ");
}
