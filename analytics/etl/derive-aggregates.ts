import { and, eq } from "drizzle-orm";

import type { Database } from "../../platform/postgres/database.ts";
import { builds } from "../../platform/postgres/schema.ts";
import { readDataVersion } from "../ad-hoc/data-version.ts";
import { readLastWholeDay } from "../reports/last-whole-day.ts";
import { buildCohortRetention } from "./aggregates/cohort-retention.ts";
import { buildCustomerLtv } from "./aggregates/customer-ltv.ts";
import { buildVisitors } from "./aggregates/visitors.ts";
import { type Attempt, insist } from "./attempt-build.ts";
import { listPartitions } from "./book.ts";
import { bookBuild, NO_DAY, sourcesOf } from "./book-build.ts";

/** Made of other aggregates in PostgreSQL, all at once: what comes back after weeks is no matter of a day. */
interface DerivedAggregate {
  name: string;
  /** Another one computes it anew. */
  version: number;
  /** The aggregates it reads. */
  from: readonly [string, ...string[]];
  /** What it is made for changes with the day, also where no purchase has come in. */
  isDaily: boolean;
  /** Replaces all of the client's rows; answers how many there are. */
  build(db: Database, clientId: string, observedUntil: string): Promise<number>;
}

const DERIVED_AGGREGATES: readonly DerivedAggregate[] = [
  { name: "customer_ltv", version: 1, from: ["purchases"], isDaily: true, build: buildCustomerLtv },
  {
    name: "cohort_retention",
    version: 1,
    from: ["purchases", "person_days"],
    isDaily: false,
    build: buildCohortRetention,
  },
  { name: "visitors_daily", version: 1, from: ["person_days"], isDaily: false, build: buildVisitors },
];

/** Brings those up to date whose sources have changed since they were made. After the days; may be repeated. Answers how many were. */
export async function deriveAggregates(
  db: Database,
  clientId: string,
  nowMs: number,
  attempt: Attempt = insist,
): Promise<number> {
  const observedUntil = await db.transaction((tx) => readLastWholeDay(tx, clientId, nowMs));
  let built = 0;
  for (const { name, version, from, isDaily, build } of DERIVED_AGGREGATES) {
    const data = await db.transaction((tx) => readDataVersion(tx, clientId, { aggregates: from }));
    const digest = [name, version, data, ...(isDaily ? [observedUntil] : [])].join(" ");
    const where = and(eq(builds.client_id, clientId), eq(builds.aggregate, name), eq(builds.day, NO_DAY));
    if ((await db.query.builds.findFirst({ where }))?.digest === digest) continue;
    const sources = sourcesOf(await listPartitions(db, clientId));
    const isBuilt = await attempt(name, async () => {
      const rows = await build(db, clientId, observedUntil);
      // The version was read before the build: what came in between makes it stale again, never wrongly fresh.
      const row = { client_id: clientId, aggregate: name, day: NO_DAY, digest, sources, rows };
      await db.transaction((tx) => bookBuild(tx, row));
    });
    if (isBuilt) built++;
  }
  return built;
}
