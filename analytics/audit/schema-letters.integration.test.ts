import { afterEach, beforeEach, expect, test } from "vitest";

import { sumViolations } from "../../core/event-schema/violations.ts";
import { HOUR_MS } from "../../core/time.ts";
import { eventSchemas, eventSchemaVersions } from "../../platform/postgres/schema.ts";
import { readViolations } from "../../platform/schema-violations.ts";
import { createUserStore } from "../../platform/user-store.ts";
import { type AuditSetup, setUpAudit, waitForRoomInHour } from "../../test/support/audit-setup.ts";

const LONG_AGO = "2026-01-01T00:00:00.000Z";
let setup: AuditSetup;

beforeEach(async () => {
  await waitForRoomInHour(30_000);
  setup = await setUpAudit();
});
afterEach(() => setup.close());

test("what an enforced schema has put aside is accounted for, to the last event, and counted once each", async () => {
  const { ctx, client_id } = setup;
  const key = { client_id, event_type: "order" };
  const settings = { mode: "enforce", mode_before: "enforce", mode_from: LONG_AGO, compatibility: "backward" } as const;
  await ctx.db.insert(eventSchemas).values({ ...key, ...settings, current_version: 1 });
  await ctx.db.insert(eventSchemaVersions).values({
    ...key,
    version: 1,
    schema: { type: "object", properties: { total: { type: "integer" } }, required: ["total"] },
    hash: "",
    compatibility: "backward",
    compatible_from: 1,
    in_force_from: LONG_AGO,
    actor: "test",
  });
  await setup.post(40, { event_type: "order", props: { total: 1 } });
  await setup.post(15, { event_type: "order", props: { total: "1" } });
  await setup.post(5, { event_type: "page_view" });
  await setup.stopEdge();
  expect(await setup.auditAll()).toEqual({ received: 60, in_lake: 45, dead_letters: 15, unexplained: 0 });
  const range = { fromMs: Date.now() - HOUR_MS, toMs: Date.now() };
  const { events, misfits } = sumViolations(
    await readViolations(createUserStore(ctx), { clientId: client_id, eventType: "order" }, range),
  );
  expect([events, misfits]).toMatchObject([15, [{ path: "/props/total", mode: "enforce", count: 15 }]]);
});
