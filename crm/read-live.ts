import { z } from "zod";

import { parse } from "../core/parse.ts";
import { sumCounts } from "../core/sum-counts.ts";
import { MINUTE_MS } from "../core/time.ts";
import { readLiveCounters } from "../platform/live-counters.ts";
import type { UserStore } from "../platform/user-store.ts";
import { type CrmContext, requireScope } from "./context.ts";

export const readLiveInput = z.object({
  minutes: z.coerce.number().int().min(1).max(60).default(15).meta({ description: "How many, up to the present one." }),
});

const countsSchema = z.record(z.string(), z.int()).meta({ description: "Events by type." });

export const liveSchema = z
  .object({
    minutes: z
      .array(z.object({ minute: z.string().meta({ example: "2026-11-21T10:00Z" }), counts: countsSchema }))
      .meta({ description: "Oldest first; the last is not over yet." }),
    totals: countsSchema,
  })
  .meta({ id: "Live" });

export type Live = z.infer<typeof liveSchema>;

/** What the client's events were in the last minutes, a second or so after they came. */
export async function readLive(
  ctx: CrmContext & { store: Pick<UserStore, "list" | "read"> },
  input: z.input<typeof readLiveInput>,
): Promise<Live> {
  requireScope(ctx, "read");
  const { minutes } = parse(readLiveInput, input, "request");
  const nowMs = Date.now();
  const range = { from: isoOf(nowMs - (minutes - 1) * MINUTE_MS), to: isoOf(nowMs) };
  const counted = await readLiveCounters(ctx.store, ctx.principal.client_id, range);
  return { minutes: counted, totals: sumCounts(counted.map(({ counts }) => counts)) };
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
