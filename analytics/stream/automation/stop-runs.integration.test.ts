import { randomUUID } from "node:crypto";

import { eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { MINUTE_MS } from "../../../core/time.ts";
import type { Context } from "../../../platform/context.ts";
import { clients, journeyRuns } from "../../../platform/postgres/schema.ts";
import { createTestContext } from "../../../test/support/context.ts";
import type { StopMatch } from "./match.ts";
import { stopRuns } from "./stop-runs.ts";

const AT = Date.parse("2026-11-21T10:00:00.000Z");

let ctx: Context;
let client_id = "";
beforeAll(() => {
  ctx = createTestContext();
});
afterAll(() => ctx.close());
beforeEach(async () => {
  client_id = `client-${randomUUID().slice(0, 8)}`;
  const both = [client_id, `${client_id}-other`];
  await ctx.db.insert(clients).values(both.map((id) => ({ id, name: id })));
});

/** Open, and entered so many minutes after the event that ends it; answers its id. */
async function addRun(minutes: number, more: Partial<typeof journeyRuns.$inferInsert> = {}): Promise<string> {
  const id = randomUUID();
  await ctx.db.insert(journeyRuns).values({
    id,
    client_id,
    campaign_id: "c",
    version: 1,
    workflow_id: `j:${id}`,
    person_key: "user:a",
    person_keys: ["user:a", "anon:x"],
    entry_event_id: randomUUID(),
    request_id: "r",
    entered_at: new Date(AT + minutes * MINUTE_MS).toISOString(),
    ...more,
  });
  return id;
}

const purchase = (more: Partial<StopMatch> = {}): StopMatch => ({
  order: 0,
  client_id,
  keys: ["user:a"],
  of: ["c:1"],
  reason: "purchase",
  event_id: "p-1",
  at: new Date(AT).toISOString(),
  ...more,
});
const stop = async (stops: StopMatch[], entries: string[] = []) =>
  (
    await stopRuns(
      ctx.db,
      stops,
      entries.map((run_id) => ({ run_id })),
    )
  ).map((run) => run.run_id);

test("ends what was entered before the event, give or take two clocks, and nothing that was entered later", async () => {
  const before = await addRun(-60);
  const about = await addRun(9);
  await addRun(11);
  await addRun(24 * 60);
  expect((await stop([purchase()])).toSorted()).toEqual([before, about].toSorted());
});

test("under any key of the person, of this client, campaign and version, and of no other", async () => {
  const known = await addRun(-1, { person_keys: ["user:a", "anon:x"] });
  const device = await addRun(-1, { person_key: "anon:y", person_keys: ["anon:y"] });
  await addRun(-1, { person_key: "user:b", person_keys: ["user:b"] });
  await addRun(-1, { client_id: `${client_id}-other` });
  await addRun(-1, { campaign_id: "d" });
  await addRun(-1, { version: 2 });
  expect(await stop([purchase({ keys: ["anon:x"] })])).toEqual([known]);
  expect(await stop([purchase({ keys: ["user:a", "anon:y"] })])).toEqual([device]);
});

test("leaves alone what has begun in the same batch, and says once why a run is over", async () => {
  const [run, entered] = [await addRun(-1), await addRun(-1)];
  const both = [purchase({ order: 1, event_id: "second" }), purchase({ order: 0, event_id: "first" })];
  expect(await stop(both, [entered])).toEqual([run]);
  expect(await stop(both, [entered])).toEqual([]);
  const [row] = await ctx.db.select().from(journeyRuns).where(eq(journeyRuns.id, run));
  expect(row).toMatchObject({ state: "stopped", reason: "purchase", stopped_by_event_id: "first" });
});
