import { Context as ActivityContext } from "@temporalio/activity";
import { and, eq, sql } from "drizzle-orm";

import { type BackfillActivities, NO_BACKFILL_COUNTS } from "../core/contracts/backfill.ts";
import type { FlowGate } from "../platform/backfill/flow-gate.ts";
import type { Shares } from "../platform/backfill/share-out.ts";
import type { Context } from "../platform/context.ts";
import type { AppendStep } from "../platform/intake/append.ts";
import { backfills } from "../platform/postgres/schema.ts";
import type { Warehouse } from "../platform/warehouse/duckdb.ts";
import { orFailure, whichBackfill } from "./backfill/find-backfill.ts";
import { loadPages } from "./backfill/load-pages.ts";
import { prepareFile } from "./backfill/prepare-file.ts";

const HEARTBEAT_MS = 1_500;

export interface BackfillDeps {
  ctx: Pick<Context, "config" | "db" | "log" | "redis">;
  /** As the edge does: into lanes, acknowledged, counted. */
  append: AppendStep;
  shares: Shares;
  gate: FlowGate;
  /** For Parquet; its memory is free between attempts. */
  openWarehouse(): Warehouse;
}

export function createBackfillActivities(deps: BackfillDeps): BackfillActivities {
  const { db, log } = deps.ctx;
  return {
    async prepareFile(input) {
      const activity = ActivityContext.current();
      const heartbeat = () => activity.heartbeat();
      const prepared = await orFailure(() =>
        prepareFile(deps, input, { heartbeat, signal: activity.cancellationSignal }),
      );
      return { failure: prepared?.failure ?? null };
    },

    async loadPages(input) {
      const activity = ActivityContext.current();
      const beat = setInterval(() => activity.heartbeat(), HEARTBEAT_MS);
      try {
        const loaded = await orFailure(() => loadPages(deps, input, activity.cancellationSignal));
        if (!("failure" in loaded)) return { ...loaded, failure: null };
        return { counts: await readCounts(), isDone: false, isHeldUp: false, failure: loaded.failure };
      } finally {
        clearInterval(beat);
      }

      async function readCounts() {
        const columns = { read: true, accepted: true, rejected: true } as const;
        return (await db.query.backfills.findFirst({ columns, where: whichBackfill(input) })) ?? NO_BACKFILL_COUNTS;
      }
    },

    async endBackfill({ state, failure, ...input }) {
      const isOpen = and(whichBackfill(input), eq(backfills.state, "running"));
      await db
        .update(backfills)
        .set({ state, failure, ended_at: sql`clock_timestamp()` })
        .where(isOpen);
      log.info({ ...input, state, failure: failure?.message }, "backfill ended");
    },
  };
}
