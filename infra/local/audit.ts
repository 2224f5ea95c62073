import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { auditHour } from "../../analytics/audit/audit-hour.ts";
import { saveAudits } from "../../analytics/audit/save-audits.ts";
import { exitCodeOf, hoursBetween, summarise } from "../../core/audit.ts";
import type { AuditedHour } from "../../core/contracts/audit.ts";
import { createMessageLists } from "../../delivery/message-lists.ts";
import { type Config, readConfig } from "../../platform/config.ts";
import { createContext } from "../../platform/context.ts";
import { createLake } from "../../platform/lake/lake.ts";
import { createUserStore } from "../../platform/user-store.ts";
import { openWarehouse } from "../../platform/warehouse/open-warehouse.ts";
import { AUDIT_HELP, type AuditOptions, parseAuditOptions } from "./audit-options.ts";
import { describeAudits } from "./audit-table.ts";
import type { Endpoints } from "./endpoints.ts";
import { ROOT } from "./paths.ts";

const MEMORY_LIMIT = "1GB";

/** `npm run audit`: see docs/runbooks/audit.md. */
async function audit(config: Config, { fromMs, toMs, clientId, patienceMs }: AuditOptions): Promise<AuditedHour[]> {
  const ctx = createContext("audit", { ...config, LIVORA_LOG_LEVEL: "silent" });
  const lake = createLake(config.LIVORA_LAKE);
  const warehouse = openWarehouse(lake, { name: "audit", memoryLimit: MEMORY_LIMIT, threads: 2 });
  try {
    const messageLists = createMessageLists(config);
    const lostTime = { since: config.LIVORA_LOST_SINCE, until: config.LIVORA_LOST_UNTIL };
    const deps = { ctx, lake, warehouse, store: createUserStore(ctx), messageLists, lostTime, patienceMs };
    const audited: AuditedHour[] = [];
    for (const hourMs of hoursBetween(fromMs, toMs)) {
      const hours = await auditHour(deps, { hourMs, clientId });
      await saveAudits(ctx.db, hours);
      audited.push(...hours);
    }
    return audited;
  } finally {
    await warehouse.close();
    await ctx.close();
  }
}

/** The environment's, where it says anything of the database; else that of the stack in this folder. */
function findConfig(): Config {
  if (process.env.LIVORA_POSTGRES_URL) return readConfig();
  const file = join(resolve(process.env.LIVORA_DATA_DIR || join(ROOT, ".livora")), "endpoints.json");
  if (!existsSync(file))
    throw new Error("There is no running stack here (npm start), and LIVORA_POSTGRES_URL is not set.");
  const { environment } = JSON.parse(readFileSync(file, "utf8")) as Endpoints;
  return readConfig({ ...process.env, ...environment });
}

try {
  const options = parseAuditOptions(process.argv.slice(2), Date.now());
  if (options.help) {
    console.log(AUDIT_HELP);
    process.exit(0);
  }
  const audited = await audit(findConfig(), options);
  const summary = summarise(audited);
  console.log(options.json ? JSON.stringify({ summary, hours: audited }, null, 2) : describeAudits(audited));
  process.exit(exitCodeOf(summary));
} catch (error) {
  console.error((error as Error).message);
  process.exit(2);
}
