import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { createApiContext } from "../../api/context.ts";
import { createApiServer } from "../../api/server.ts";
import { formatApiKey } from "../../core/api-key.ts";
import { DAY_MS } from "../../core/time.ts";
import { ensureApiKey, ensureClient } from "../../crm/ensure-client.ts";
import { forgetCached } from "../../platform/cache.ts";
import type { Config } from "../../platform/config.ts";
import type { Database } from "../../platform/postgres/database.ts";
import { builds, funnelHourly } from "../../platform/postgres/schema.ts";
import { serveParent } from "../child.ts";

export interface ReadApiOptions {
  config: Config;
  /** Of the year: before today, so that hours and days are as ETL leaves them. */
  firstDay: string;
  days: number;
}

/** Where to ask: the API itself, and what answers a constant. */
export interface ReadApiReady {
  api: number;
  floor: number;
  clientId: string;
  key: string;
  rows: number;
}

/** How long ago a person may have entered before, in days, each with its row: what a busy shop has. */
const LONGEST_GAP = 60;
const NEVER = "0001-01-01T00:00:00Z";

await serveParent<ReadApiOptions, "forget">(async ({ config, firstDay, days }) => {
  const api = createApiContext({ ...config, LIVORA_API_REQUESTS_PER_SECOND: 1e9, LIVORA_LOG_LEVEL: "silent" });
  const clientId = `bench-${crypto.randomUUID().slice(0, 8)}`;
  const key = formatApiKey(clientId, crypto.getRandomValues(new Uint8Array(24)));
  await ensureClient(api, { client_id: clientId, name: clientId });
  await ensureApiKey(api, { client_id: clientId, api_key: key });
  const rows = await writeYear(api.db, clientId, firstDay, days);
  const server = createApiServer(api);
  const floor = createServer((_, response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": CONSTANT.length }).end(CONSTANT);
  });
  const ready: ReadApiReady = { api: await listen(server), floor: await listen(floor), clientId, key, rows };
  return { ready, answer: async () => forgetCached(api.redis, clientId).then(() => null) };
});

/** As long as what the API answers. */
const CONSTANT = Buffer.from(JSON.stringify({ steps: "x".repeat(440) }));

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** The funnels of visits, which enter once, and of persons, who come again after any number of days. */
async function writeYear(db: Database, client_id: string, firstDay: string, days: number): Promise<number> {
  const first = Date.parse(`${firstDay}T00:00:00Z`);
  const at = (day: number) => new Date(first + day * DAY_MS).toISOString();
  const row = { client_id, grain: "day" as const, units: 40 };
  const rows = Array.from({ length: days }, (_, day) =>
    [1, 2, 3].flatMap((step) => [
      { ...row, funnel: "purchase_by_session_pt30m", step, entered: at(day), entered_before: NEVER },
      { ...row, funnel: "purchase_by_user_p7d", step, entered: at(day), entered_before: NEVER },
      ...Array.from({ length: Math.min(day, LONGEST_GAP) }, (__, gap) => {
        return { ...row, funnel: "purchase_by_user_p7d", step, entered: at(day), entered_before: at(day - gap - 1) };
      }),
    ]),
  ).flat();
  for (let from = 0; from < rows.length; from += 5_000) {
    await db.insert(funnelHourly).values(rows.slice(from, from + 5_000));
  }
  const build = {
    client_id,
    aggregate: "funnel_hourly",
    day: firstDay,
    digest: "bench",
    sources: [],
    rows: rows.length,
  };
  await db.insert(builds).values(build);
  await db.execute("analyze analytics.funnel_hourly");
  return rows.length;
}
