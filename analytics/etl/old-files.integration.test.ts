import { rename } from "node:fs/promises";

import { afterAll, beforeAll, expect, test } from "vitest";

import type { Context } from "../../platform/context.ts";
import type { Lake } from "../../platform/lake/lake.ts";
import { readRawFiles } from "../../platform/lake/raw-files.ts";
import { quote } from "../../platform/warehouse/duckdb.ts";
import { makeEnriched, toEntry } from "../../test/support/enriched-events.ts";
import { createEtlScene, type EtlScene } from "../../test/support/etl-scene.ts";
import { findClient, listPartitions } from "./book.ts";
import type { EtlDeps } from "./deps.ts";
import { createEventsView } from "./events-view.ts";
import { withRawFiles } from "./stage-ids.ts";

const HOUR = Date.parse("2026-11-01T10:00:00.000Z");
/** What a file of long ago might not have: nothing that says which event it is, and where it came from. */
const CAME_LATER = ["utm_content", "utm_term", "city", "is_bot", "session_source", "lane", "person_key"];
let scene: EtlScene;
let ctx: Context;
let lake: Lake;
let deps: EtlDeps;
beforeAll(async () => {
  scene = await createEtlScene();
  ({ ctx, lake, deps } = scene);
});
afterAll(() => scene?.close());

const UTM = { source: "mail", medium: null, campaign: null, term: "kurta", content: "banner" };

/** Each call is a batch of the stream, and a file. */
async function append(clientId: string, numbers: readonly number[]): Promise<void> {
  const entries = numbers.map((number) => {
    const enrichment = { utm: UTM, geo: { country: "IN", city: "Pune" }, is_bot: true };
    return toEntry(makeEnriched({ clientId, number, timestampMs: HOUR + number * 1_000, enrichment }), number);
  });
  await scene.append(entries);
}

const filesOf = async (clientId: string) => {
  const partitions = await lake.listPartitions(clientId);
  return (await Promise.all(partitions.map((partition) => lake.listFiles(partition)))).flat();
};

/** The same file as someone wrote it who did not know these columns yet. */
async function makeOld(path: string): Promise<void> {
  const file = lake.absolute(path);
  await deps.warehouse.use((connection) =>
    connection.run(
      `COPY (SELECT * EXCLUDE (${CAME_LATER.join(", ")}) FROM read_parquet(${quote(file)}, hive_partitioning = false)) TO ${quote(`${file}.old`)} (FORMAT parquet)`,
    ),
  );
  await rename(`${file}.old`, file);
}

async function ask(sql: string): Promise<unknown[]> {
  return deps.warehouse.use(async (connection) => (await connection.runAndReadAll(sql)).getRowsJson());
}

test("what is read of raw files are the columns that are written today, with their types", async () => {
  const clientId = await scene.addClient();
  await append(clientId, [1]);
  const [path = ""] = await filesOf(clientId);
  const written = await ask(`DESCRIBE FROM read_parquet(${quote(lake.absolute(path))}, hive_partitioning = false)`);
  const read = await ask(`DESCRIBE FROM ${readRawFiles([lake.absolute(path)])}`);
  expect(read).toEqual(written);
});

test.each([
  ["together with new ones", 1],
  ["where there are no others", 2],
])("files from before a column came are read and curated, with nulls: %s", async (_, old) => {
  const clientId = await scene.addClient();
  await append(clientId, [10, 11]);
  await append(clientId, [20, 21]);
  for (const path of (await filesOf(clientId)).slice(0, old)) await makeOld(path);

  const { path: partition } = (await lake.listPartitions(clientId))[0]!;
  const rows = await withRawFiles(deps, clientId, partition, (files) =>
    ask(`SELECT utm_content, is_bot, country FROM ${files} ORDER BY source_sequence, source_index`),
  );
  const [before, after] = [
    [null, null, "IN"],
    ["banner", true, "IN"],
  ];
  expect(rows).toEqual([before, before, ...(old === 1 ? [after, after] : [before, before])]);

  await scene.run(clientId);
  const client = await findClient(ctx.db, clientId);
  const hours = await listPartitions(ctx.db, clientId);
  expect(hours.map(({ state }) => state)).toEqual(["built"]);
  const curated = await deps.warehouse.use(async (connection) => {
    await createEventsView(lake, connection, { client, hours });
    return (
      await connection.runAndReadAll("SELECT utm_content, is_bot, country FROM events ORDER BY timestamp")
    ).getRowsJson();
  });
  // Where nobody looked yet, it is taken for a person.
  const unknown = [null, false, "IN"];
  expect(curated).toEqual([unknown, unknown, ...(old === 1 ? [after, after] : [unknown, unknown])]);
});
