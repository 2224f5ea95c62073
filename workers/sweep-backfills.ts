import { sweepBackfillFiles } from "../platform/backfill/sweep-files.ts";
import type { Context } from "../platform/context.ts";
import { repeat } from "./repeat.ts";

const EVERY_MS = 10 * 60_000;

/** Removes the files of backfills that are over, again and again, until stopped. */
export function keepSweepingBackfills(ctx: Pick<Context, "config" | "db" | "log">): { stop(): Promise<void> } {
  return repeat(EVERY_MS, async () => {
    await sweepBackfillFiles(ctx).catch((error: unknown) => {
      ctx.log.warn({ err: (error as Error).message }, "files of backfills not swept");
    });
  });
}
