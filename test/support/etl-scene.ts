import { randomUUID } from "node:crypto";

import type { EtlDeps } from "../../analytics/etl/deps.ts";
import { runEtl } from "../../analytics/etl/run-etl.ts";
import { createLakeConsumer } from "../../analytics/stream/lake/consumer.ts";
import type { Context } from "../../platform/context.ts";
import { createLake, type Lake } from "../../platform/lake/lake.ts";
import { clients } from "../../platform/postgres/schema.ts";
import type { StreamEntry } from "../../platform/stream/types.ts";
import { openWarehouse } from "../../platform/warehouse/open-warehouse.ts";
import { createIsolatedContext } from "./context.ts";
import { makeEnriched, toEntry } from "./enriched-events.ts";

export interface Happened {
  at: string;
  type: string;
  user?: string;
  anon?: string;
  props?: Record<string, unknown>;
  isBot?: boolean;
}

/** A lake and the aggregates that are made of it, without Temporal. */
export interface EtlScene {
  ctx: Context;
  lake: Lake;
  deps: EtlDeps;
  /** A client; answers its id. */
  addClient(settings?: Record<string, string>): Promise<string>;
  /** One batch of the stream, through its consumer: a file for each hour that it touches. */
  append(entries: StreamEntry[]): Promise<void>;
  /** All steps of ETL. */
  run(clientId: string): Promise<void>;
  /** Into the lake, and from there into the aggregates. */
  happen(clientId: string, all: readonly Happened[]): Promise<void>;
  close(): Promise<void>;
}

export async function createEtlScene(): Promise<EtlScene> {
  const ctx = await createIsolatedContext();
  const lake = createLake(ctx.config.LIVORA_LAKE);
  const deps = { ctx, lake, warehouse: openWarehouse(lake, { name: "test", memoryLimit: "512MB" }) };
  let place = 1;
  const scene: EtlScene = {
    ctx,
    lake,
    deps,
    async addClient(settings = {}) {
      const id = `etl-${randomUUID()}`;
      await ctx.db.insert(clients).values({ id, name: id, settings });
      return id;
    },
    async append(entries) {
      const signal = new AbortController().signal;
      await createLakeConsumer(ctx).handle({ shard: "shardId-000000000000", entries, state: undefined, signal });
    },
    async run(clientId) {
      await runEtl(deps, { client_id: clientId, run_id: randomUUID() });
    },
    async happen(clientId, all) {
      const entries = all.map(({ at, type, user = null, anon = null, props = {}, isBot = false }) => {
        const event = { event_id: randomUUID(), timestamp: at, event_type: type, user_id: user, anon_id: anon, props };
        const number = place++;
        const enrichment = { is_bot: isBot };
        return toEntry(makeEnriched({ clientId, number, timestampMs: Date.parse(at), enrichment, event }), number);
      });
      if (entries.length > 0) await scene.append(entries);
      await scene.run(clientId);
    },
    async close() {
      await deps.warehouse.close();
      await ctx.close();
    },
  };
  return scene;
}
