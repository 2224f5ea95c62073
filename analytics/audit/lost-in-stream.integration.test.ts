import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { eq, sql } from "drizzle-orm";
import { afterEach, beforeEach, expect, test } from "vitest";

import { hourOf } from "../../core/audit.ts";
import { HOUR_MS } from "../../core/time.ts";
import type { AuditedHour, Difference } from "../../core/contracts/audit.ts";
import type { Context } from "../../platform/context.ts";
import { edgeCounts } from "../../platform/postgres/schema.ts";
import { type AuditSetup, setUpAudit } from "../../test/support/audit-setup.ts";
import { createIsolatedContext } from "../../test/support/context.ts";
import { type EdgeProcess, startEdgeProcess } from "../../test/support/edge-process.ts";
import { type LosingStream, startLosingStream } from "../../test/support/losing-stream.ts";
import { stackConfig } from "../../test/support/stack-config.ts";
import { waitUntil } from "../../test/support/wait-until.ts";
import { auditHour } from "./audit-hour.ts";

let decoy: Context;
let stream: LosingStream;
let setup: AuditSetup;
let edge: EdgeProcess | undefined;

beforeEach(async () => {
  decoy = await createIsolatedContext();
  stream = await startLosingStream(stackConfig().LIVORA_KINESIS_URL, decoy.config.LIVORA_STREAM_EVENTS);
  setup = await setUpAudit({ edgeKinesisUrl: stream.url });
});
afterEach(async () => {
  await edge?.kill9();
  edge = undefined;
  await setup.close();
  await stream.close();
  await decoy.close();
});

/** What all audits of the test's hours say together: it may run past the end of one. */
async function audit(sinceMs: number) {
  const hours: AuditedHour[] = [];
  for (let hourMs = hourOf(sinceMs); hourMs <= Date.now(); hourMs += HOUR_MS)
    hours.push(...(await auditHour(setup.deps, { ...setup.scope(), hourMs })));
  const sum = (what: "acknowledged" | "received" | "in_lake" | "unexplained") =>
    hours.reduce((total, hour) => total + hour[what], 0);
  return {
    acknowledged: sum("acknowledged"),
    received: sum("received"),
    in_lake: sum("in_lake"),
    unexplained: sum("unexplained"),
    differences: hours.flatMap((hour) => hour.details.differences),
    notes: hours.flatMap((hour) => hour.details.notes),
  };
}

const idsOf = (differences: readonly Difference[]) => differences.map((one) => one.event_id).toSorted();

test("what the stream has acknowledged and lost is named, event by event, with the edge that acknowledged it", async () => {
  const beganMs = Date.now();
  let puts = 0;
  stream.lose(() => ++puts % 4 === 0);
  const posted: string[] = [];
  while (stream.lost.size < 10) posted.push(...(await setup.post(20)));
  stream.lose(() => false);
  posted.push(...(await setup.post(20)));
  await setup.stopEdge();
  await setup.rest();
  const lost = [...stream.lost];
  expect(posted).toEqual(expect.arrayContaining(lost));
  const found = await audit(beganMs);
  expect(found).toMatchObject({ acknowledged: posted.length, received: posted.length - lost.length });
  expect(found).toMatchObject({ in_lake: posted.length - lost.length, unexplained: lost.length });
  expect(new Set(found.differences.map((one) => one.kind))).toEqual(new Set(["lost_in_stream"]));
  expect(idsOf(found.differences)).toEqual(lost.toSorted().slice(0, 100));
  expect(found.differences[0]?.last_seen).toMatch(
    /^edge [\w-]+, envelope \d+: acknowledged at [\d:.]+; the stream has no receipt of it$/,
  );
});

test("what a refused request has left in the stream hides no loss", async () => {
  const beganMs = Date.now();
  const posted = await setup.post(10);
  stream.lose(() => true);
  const gone = await setup.post(3);
  stream.lose(() => false);
  await setup.stopEdge();
  await setup.rest();
  // As if three events had been answered 503 and had come into the stream all the same: by number nothing is missing.
  const counts = { acknowledged: 10, unsure: 3 };
  await setup.ctx.db.update(edgeCounts).set(counts).where(eq(edgeCounts.client_id, setup.client_id));
  const found = await audit(beganMs);
  expect(found).toMatchObject({ acknowledged: posted.length + gone.length, unexplained: 3 });
  expect(idsOf(found.differences)).toEqual(gone.toSorted());
});

/** The events that the load has had acknowledged so far. */
const taken = new Set<string>();

/** Requests from many at once, until nobody answers; answers what was acknowledged to whom. */
async function load(port: number, signal: AbortSignal): Promise<string[]> {
  const acknowledged: string[] = [];
  const send = async () => {
    const events = Array.from({ length: 3 }, () => ({
      event_id: randomUUID(),
      timestamp: new Date().toISOString(),
      client_id: setup.client_id,
      session_id: randomUUID(),
      event_type: "page_view",
    }));
    const response = await fetch(`http://127.0.0.1:${port}/v1/events`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${setup.api_key}`,
        "x-client-id": setup.client_id,
        "content-type": "application/json",
      },
      body: JSON.stringify(events),
    });
    await response.arrayBuffer();
    if (response.status !== 202) return;
    acknowledged.push(...events.map((event) => event.event_id));
    for (const event of events) taken.add(event.event_id);
  };
  const sender = async () => {
    while (!signal.aborted) await send().catch(() => sleep(5));
  };
  await Promise.all(Array.from({ length: 8 }, sender));
  return acknowledged;
}

/** An edge of its own is killed under load; what each side knows of it then. */
async function killUnderLoad(duringLoad: () => Promise<void>): Promise<string[]> {
  edge = await startEdgeProcess(setup.edgeConfig);
  const over = new AbortController();
  const loading = load(edge.port, over.signal);
  await duringLoad();
  await edge.kill9();
  over.abort();
  const acknowledged = await loading;
  await setup.rest();
  // As if it had been silent for half a minute.
  await setup.ctx.db
    .update(edgeCounts)
    .set({ flushed_at: sql`flushed_at - interval '40 seconds'` })
    .where(eq(edgeCounts.client_id, setup.client_id));
  return acknowledged;
}

test("kill -9 of an edge under load: no false alarm, and its journal knows what it had not yet counted", async () => {
  const beganMs = Date.now();
  const acknowledged = await killUnderLoad(async () => {
    await waitUntil(async () => (await readCounted()) > 50);
    // Right after a second's count, so that the next one is not due yet.
    const before = taken.size;
    await waitUntil(() => taken.size > before + 30);
  });
  const counted = await readCounted();
  expect(acknowledged.length).toBeGreaterThan(counted);
  const found = await audit(beganMs);
  expect(found).toMatchObject({ unexplained: 0, differences: [] });
  expect(found.acknowledged).toBeGreaterThanOrEqual(acknowledged.length);
  expect(found.received).toBeGreaterThanOrEqual(found.acknowledged);
  expect(found.in_lake).toBe(found.received);
});

test("kill -9 of an edge while the stream loses what it takes: exactly that is named, counted or not", async () => {
  const beganMs = Date.now();
  const acknowledged = await killUnderLoad(async () => {
    await waitUntil(async () => (await readCounted()) > 50);
    let puts = 0;
    stream.lose(() => ++puts % 8 === 0);
    // What nobody was told of is no loss.
    await waitUntil(() => [...stream.lost].filter((id) => taken.has(id)).length > 3);
  });
  const lost = [...stream.lost];
  const known = new Set(acknowledged);
  const found = await audit(beganMs);
  const named = idsOf(found.differences);
  expect(new Set(found.differences.map((one) => one.kind))).toEqual(new Set(["lost_in_stream"]));
  expect(found.differences.length).toBe(found.unexplained);
  expect(named).toEqual(expect.arrayContaining(lost.filter((id) => known.has(id))));
  // Of those that nobody was told of, the edge knew of some when it died.
  expect(lost).toEqual(expect.arrayContaining(named));
});

async function readCounted(): Promise<number> {
  const rows = await setup.ctx.db.select().from(edgeCounts).where(eq(edgeCounts.client_id, setup.client_id));
  return rows.reduce((sum, row) => sum + row.acknowledged, 0);
}
