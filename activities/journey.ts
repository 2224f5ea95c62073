import { and, eq, inArray, sql } from "drizzle-orm";

import { lookUp } from "../core/condition.ts";
import type { JourneyActivities, SendOutcome, SendRequest } from "../core/contracts/journey.ts";
import { AppError } from "../core/errors.ts";
import type { JourneyDefinition } from "../core/journey/definition.ts";
import { hashDefinition } from "../core/journey/hash.ts";
import type { Context } from "../platform/context.ts";
import { readPersonFacts } from "../platform/person-facts.ts";
import { campaignVersions, journeyRuns } from "../platform/postgres/schema.ts";
import type { UserStore } from "../platform/user-store.ts";
import { holdRun } from "./hold-run.ts";

export interface JourneyDeps {
  ctx: Pick<Context, "db" | "log">;
  store: Pick<UserStore, "read">;
  /** `delivery/deliver.ts`, with its context. */
  deliver(request: SendRequest): Promise<SendOutcome>;
}

/** How often a message is asked for again at once, when its campaign is paused and resumed in the same moment. */
const TRIES = 3;

export function createJourneyActivities({ ctx, store, deliver }: JourneyDeps): JourneyActivities {
  return {
    async loadDefinition({ client_id, campaign_id, version }) {
      const row = await ctx.db.query.campaignVersions.findFirst({
        columns: { journey: true },
        where: and(
          eq(campaignVersions.client_id, client_id),
          eq(campaignVersions.campaign_id, campaign_id),
          eq(campaignVersions.version, version),
        ),
      });
      if (!row) throw new AppError("not_found", `There is no version ${version} of campaign ${campaign_id}.`);
      // The hash of what was read, not of what was once written down beside it.
      return { definition: row.journey as JourneyDefinition, hash: hashDefinition(row.journey) };
    },

    async sendMessage(request) {
      for (let attempt = 0; attempt < TRIES; attempt++) {
        const outcome = await deliver(request);
        if (outcome.outcome !== "held" || (await holdRun(ctx.db, request))) return outcome;
      }
      throw new AppError("unavailable", "The campaign is being paused and resumed.", { retryAfterMs: 1_000 });
    },

    async readPerson({ client_id, run_id, entry_paths }) {
      const run = await ctx.db.query.journeyRuns.findFirst({
        columns: { person_keys: true, entry_props: true },
        where: and(eq(journeyRuns.id, run_id), eq(journeyRuns.client_id, client_id)),
      });
      if (!run) throw new AppError("not_found", `There is no run ${run_id}.`);
      const [facts] = await readPersonFacts(store, [{ client_id, keys: run.person_keys }]);
      return { ...facts!, ...(entry_paths && { entry: pick(run.entry_props, entry_paths) }) };
    },

    async endRun({ client_id, run_id, state, reason, node_id }) {
      const isOpen = inArray(journeyRuns.state, ["active", "held"]);
      // A run that was stopped keeps the reason it was stopped for.
      const open = sql`${isOpen}`;
      await ctx.db
        .update(journeyRuns)
        .set({
          state: sql`case when ${open} then ${state} else ${journeyRuns.state} end`,
          reason: sql`case when ${open} then ${reason} else ${journeyRuns.reason} end`,
          node_id: sql`coalesce(nullif(${node_id}, ''), ${journeyRuns.node_id})`,
          ended_at: sql`coalesce(${journeyRuns.ended_at}, clock_timestamp())`,
        })
        .where(and(eq(journeyRuns.id, run_id), eq(journeyRuns.client_id, client_id)));
      ctx.log.info({ client_id, run_id, state, reason, node_id }, "run ended");
    },
  };
}

function pick(props: unknown, paths: readonly string[]): Record<string, unknown> {
  const found = paths.map((path) => [path, lookUp(props as Record<string, unknown>, path)] as const);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}
