import { rm } from "node:fs/promises";

import { eq, sql } from "drizzle-orm";
import { afterEach, beforeEach, expect, test } from "vitest";

import type { AuditedHour } from "../../core/contracts/audit.ts";
import { droppedEvents, edgeCounts, lakeFiles } from "../../platform/postgres/schema.ts";
import { quote } from "../../platform/warehouse/duckdb.ts";
import { type AuditSetup, setUpAudit } from "../../test/support/audit-setup.ts";
import { waitUntil } from "../../test/support/wait-until.ts";
import { auditHour } from "./audit-hour.ts";

let setup: AuditSetup;

beforeEach(async () => {
  setup = await setUpAudit();
});
afterEach(() => setup.close());

async function audit(): Promise<AuditedHour> {
  const [hour] = await auditHour(setup.deps, setup.scope());
  if (hour === undefined) throw new Error("no hour");
  return hour;
}

const kindsOf = (hour: AuditedHour) => hour.details.differences.map((difference) => difference.kind).toSorted();

/** The client's files of the lake, as the book has them. */
async function listFiles(): Promise<string[]> {
  const files = await setup.ctx.db
    .select()
    .from(lakeFiles)
    .where(eq(lakeFiles.client_id, setup.client_id))
    .orderBy(lakeFiles.path);
  return files.map((file) => setup.lake.absolute(file.path));
}

/** Rewrites a file behind the book's back. */
async function rewrite(path: string, rows: string): Promise<void> {
  const temp = await setup.lake.tempPath();
  await setup.deps.warehouse.use(async (connection) => {
    await connection.run(
      `COPY (${rows.replaceAll("FILE", `read_parquet(${quote(path)})`)}) TO ${quote(temp)} (FORMAT parquet)`,
    );
  });
  await setup.lake.publish(temp, path.slice(setup.lake.root.length + 1));
}

test("a day without faults: all that was acknowledged is in the lake or explained", async () => {
  const ids = await setup.post(150);
  await setup.post(20, { timestamp: "2026-10-01T10:00:00.000Z", event_type: "late" });
  await setup.post(1, { event_id: ids[0], session_id: "s-0" });
  await setup.stopEdge();
  const hour = await audit();
  expect(hour).toMatchObject({ acknowledged: 171, received: 171, in_lake: 170, dropped: 1, dead_letters: 0 });
  expect(hour).toMatchObject({ in_flight: 0, unexplained: 0, verdict: "open", details: { differences: [] } });
});

test("a row that vanished, and one that stands there twice", async () => {
  const ids = await setup.post(40);
  await audit();
  const [file = ""] = await listFiles();
  await rewrite(
    file,
    "SELECT * FROM FILE WHERE file_row_number > 0"
      .replace("FILE", "FILE")
      .replace("FILE WHERE file_row_number > 0", "(SELECT *, row_number() OVER () AS n FROM FILE) WHERE n > 1"),
  );
  const hour = await audit();
  expect(hour).toMatchObject({ verdict: "difference", unexplained: 1, received: 40, in_lake: 39 });
  const [missing] = hour.details.differences;
  expect(missing).toMatchObject({
    kind: "missing",
    last_seen: expect.stringContaining("enrichment: it is remembered"),
  });
  expect(ids).toContain(missing?.event_id);
});
