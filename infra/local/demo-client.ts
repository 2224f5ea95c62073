import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { formatApiKey } from "../../core/api-key.ts";
import { DEMO_CLIENT_ID, ensureDemoClient } from "../../crm/ensure-demo-client.ts";
import type { Config } from "../../platform/config.ts";
import { createContext } from "../../platform/context.ts";
import type { Credentials } from "./endpoints.ts";

/** Seconds instead of the usual half hour and day, so that a newcomer sees all of it. Both count from the cart. */
export const DEMO_DELAYS = { reminderMs: 8_000, couponMs: 40_000 };

/** The client with its key, templates and campaign. The key stays the same for as long as the data does. */
export async function ensureDemo(config: Config, dir: string): Promise<Credentials> {
  const api_key = ensureKey(join(dir, "demo-key"));
  const ctx = createContext("start", { ...config, LIVORA_LOG_LEVEL: "warn" });
  try {
    const { client_id } = await ensureDemoClient(ctx, { api_key, ...DEMO_DELAYS });
    return { client_id, api_key };
  } finally {
    await ctx.close();
  }
}

function ensureKey(file: string): string {
  if (!existsSync(file)) writeFileSync(file, formatApiKey(DEMO_CLIENT_ID, randomBytes(24)), { mode: 0o600 });
  return readFileSync(file, "utf8");
}
