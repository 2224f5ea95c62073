import { sql } from "drizzle-orm";
import type { Response } from "express";

import { withTimeout } from "../platform/with-timeout.ts";
import type { ApiContext } from "./context.ts";

const PATIENCE_MS = 2_000;

/** Whether it makes sense to send requests here: the database answers, and so does Redis. */
export async function answerHealth(api: ApiContext, response: Response): Promise<void> {
  const [postgres, redis] = await Promise.all([
    answersInTime(() => api.db.execute(sql`select 1`)),
    answersInTime(() => api.redis.ping()),
  ]);
  const isReady = postgres && redis;
  response.status(isReady ? 200 : 503).json({ status: isReady ? "ready" : "waiting", checks: { postgres, redis } });
}

async function answersInTime(work: () => PromiseLike<unknown>): Promise<boolean> {
  try {
    await withTimeout(work, PATIENCE_MS, "the store");
    return true;
  } catch {
    return false;
  }
}
