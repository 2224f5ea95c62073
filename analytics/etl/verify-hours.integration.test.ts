import { randomUUID } from "node:crypto";
import { copyFile, rm, writeFile } from "node:fs/promises";

import { eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, it } from "vitest";

import { HOUR_MS } from "../../core/time.ts";
import type { Context } from "../../platform/context.ts";
import type { Lake } from "../../platform/lake/lake.ts";
import { etlPartitions } from "../../platform/postgres/schema.ts";
import { makeEnriched, toEntry } from "../../test/support/enriched-events.ts";
import { createEtlScene, type EtlScene } from "../../test/support/etl-scene.ts";
import { listPartitions } from "./book.ts";
import { hourFile } from "./curated-files.ts";
import { type EtlDeps, query } from "./deps.ts";
import { verifyPage } from "./steps.ts";

const START = Date.parse("2026-11-01T10:00:00.000Z");
let scene: EtlScene;
let ctx: Context;
let lake: Lake;
let deps: EtlDeps;
let client_id: string;
beforeAll(async () => {
  scene = await createEtlScene();
  ({ ctx, lake, deps } = scene);
  client_id = await scene.addClient();
});
afterAll(() => scene?.close());

const scope = () => ({ client_id, run_id: randomUUID() });
const readStates = async () => (await listPartitions(ctx.db, client_id)).map(({ state }) => state);

async function findFailed(): Promise<string[]> {
  const { checks } = await verifyPage(deps, scope());
  return checks.filter(({ state }) => state === "failed").flatMap(({ check, details }) => [check, ...details]);
}

const countOf = (path: string) => `SELECT count(*)::INT AS n, '${path}' AS path FROM read_parquet('${path}')`;

async function countEvents(): Promise<number[]> {
  const hours = await listPartitions(ctx.db, client_id);
  const paths = hours.map(({ partition, version }) => lake.absolute(hourFile(client_id, partition, "events", version)));
  const sql = `${paths.map(countOf).join(" UNION ALL ")} ORDER BY path`;
  const rows = await deps.warehouse.use((connection) => query(connection, sql));
  return rows.map(({ n }) => Number(n));
}

it("finds what is gone, broken or doubled among what was built long ago, and the run after it mends it", async () => {
  const entries = [0, 1, 2, 3, 4].map((number) => {
    return toEntry(makeEnriched({ clientId: client_id, number, timestampMs: START + (number % 2) * HOUR_MS }), number);
  });
  await scene.append(entries);
  await scene.run(client_id);
  expect(await findFailed()).toEqual([]);
  expect(await countEvents()).toEqual([3, 2]);

  const [ten, eleven] = await listPartitions(ctx.db, client_id);
  const fileOf = (hour: typeof ten, kind: "events" | "ids") => {
    const version = kind === "ids" ? hour?.ids_version : hour?.version;
    return lake.absolute(hourFile(client_id, hour?.partition ?? "", kind, version ?? 0));
  };
  await writeFile(fileOf(ten, "events"), "PAR1 and no more");
  await rm(fileOf(eleven, "ids"));
  expect(await findFailed()).toEqual([
    "readable",
    `${ten?.partition}: its curated file was gone or not whole, and is written anew`,
    `${eleven?.partition}: its list of ids was gone or not whole, and is written anew`,
  ]);
  await scene.run(client_id);
  expect(await findFailed()).toEqual([]);
  expect(await countEvents()).toEqual([3, 2]);

  // As if an hour had kept what another one has.
  const [first, second] = await listPartitions(ctx.db, client_id);
  await copyFile(fileOf(second, "events"), fileOf(first, "events"));
  await ctx.db.update(etlPartitions).set({ curated_rows: 2 }).where(eq(etlPartitions.client_id, client_id));
  expect(await findFailed()).toContain("uniqueness");
  expect(await readStates()).toEqual(["held", "held"]);
  await scene.run(client_id);
  expect([await countEvents(), await readStates(), await findFailed()]).toEqual([[3, 2], ["built", "built"], []]);
});
