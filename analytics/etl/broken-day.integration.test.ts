import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";

import { eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";

import { HOUR_MS } from "../../core/time.ts";
import type { Context } from "../../platform/context.ts";
import { activityHourly, etlRuns } from "../../platform/postgres/schema.ts";
import { makeEnriched, toEntry } from "../../test/support/enriched-events.ts";
import { createEtlScene, type EtlScene } from "../../test/support/etl-scene.ts";
import { findClient, listPartitions } from "./book.ts";
import { hourFile } from "./curated-files.ts";
import type { EtlDeps } from "./deps.ts";
import { publishRun } from "./publish-run.ts";
import { curatePage, daysPage, linksStep, repeatsStep, stagePage } from "./steps.ts";

const FIRST = Date.parse("2026-11-19T15:00:00Z");
const SECOND = Date.parse("2026-11-20T15:00:00Z");
let scene: EtlScene;
let ctx: Context;
let deps: EtlDeps;
beforeAll(async () => {
  scene = await createEtlScene();
  ({ ctx, deps } = scene);
});
afterAll(() => scene?.close());

async function append(clientId: string, from: number, timestampMs: number): Promise<void> {
  const numbers = Array.from({ length: 10 }, (_, nth) => from + nth);
  // Nobody logs in, or the links of devices would be looked up in the file that is to break.
  const event = { user_id: null };
  const entries = numbers.map((number) => toEntry(makeEnriched({ clientId, number, timestampMs, event }), number));
  await scene.append(entries);
}

async function countByDay(clientId: string): Promise<Record<string, number>> {
  const rows = await ctx.db.select().from(activityHourly).where(eq(activityHourly.client_id, clientId));
  const days = Map.groupBy(rows, ({ day }) => day);
  return Object.fromEntries([...days].map(([day, some]) => [day, some.reduce((sum, { events }) => sum + events, 0)]));
}

test("a day that cannot be computed is told of with its reason; the others are, and nothing is said to be up to date", async () => {
  const client_id = await scene.addClient();
  await append(client_id, 0, FIRST);
  await append(client_id, 100, SECOND);
  await scene.run(client_id);
  expect(await countByDay(client_id)).toEqual({ "2026-11-19": 10, "2026-11-20": 10 });

  // The disk has eaten a curated file, and both days get more events.
  const [hour] = await listPartitions(ctx.db, client_id);
  await writeFile(deps.lake.absolute(hourFile(client_id, hour!.partition, "events", hour!.version)), "gone");
  await append(client_id, 200, FIRST + HOUR_MS);
  await append(client_id, 300, SECOND + HOUR_MS);
  const scope = { client_id, run_id: randomUUID() };
  const progress = { partitions: { done: 0, total: 0 }, days: { done: 0, total: 0 } };
  const row = { id: scope.run_id, client_id, workflow_id: "w", actor: "test", request_id: "r", progress };
  await ctx.db.insert(etlRuns).values(row);
  await stagePage(deps, scope);
  await repeatsStep(deps, scope);
  await curatePage(deps, scope);
  await linksStep(deps, scope);
  const { checks, done } = await daysPage(deps, scope);
  expect(done).toBe(2);
  const found = checks.find(({ check }) => check === "aggregates");
  expect(found).toMatchObject({ state: "failed", failed: 1 });
  expect(found!.details).toEqual([expect.stringMatching(/^the events of 2026-11-19: .*parquet/)]);
  expect(found!.details[0]).not.toContain(deps.lake.root);
  expect(await countByDay(client_id)).toEqual({ "2026-11-19": 10, "2026-11-20": 20 });
  await publishRun(deps, { ...scope, is_partial: true });
  expect((await findClient(ctx.db, client_id)).as_of).toBeNull();
});
