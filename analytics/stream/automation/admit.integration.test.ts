import { randomUUID } from "node:crypto";

import { eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { journeyWorkflowId } from "../../../core/contracts/journey-id.ts";
import type { JourneyDefinition, ReEntry, Trigger } from "../../../core/journey/definition.ts";
import { DAY_MS, HOUR_MS } from "../../../core/time.ts";
import type { Context } from "../../../platform/context.ts";
import { campaigns, campaignVersions, clients, journeyRuns } from "../../../platform/postgres/schema.ts";
import { ABSENT } from "../../../platform/user-store.ts";
import { createTestContext } from "../../../test/support/context.ts";
import { admitEntries } from "./admit.ts";
import type { Entry } from "./match.ts";

const NOW = Date.parse("2026-11-21T10:00:00.000Z");
const DEVICE = ["anon:x"];
const LOGGED_IN = ["user:a", "anon:x"];

let ctx: Context;
let client_id = "";
beforeAll(() => {
  ctx = createTestContext();
});
afterAll(() => ctx.close());
beforeEach(async () => {
  client_id = `client-${randomUUID().slice(0, 8)}`;
  const campaign = { id: "c", client_id, name: "Carts", state: "active", draft: {}, current_version: 1 } as const;
  await ctx.db.insert(clients).values({ id: client_id, name: client_id });
  await ctx.db.insert(campaigns).values(campaign);
  const version = { client_id, campaign_id: "c", version: 1, hash: "h", source: {}, journey: { exit_on: [] } };
  await ctx.db.insert(campaignVersions).values(version);
});

/** Somebody comes, so many hours later; answers how many are let in. */
async function enter(re_entry: ReEntry, person_keys: string[], hours: number, entry_key = "k1"): Promise<number> {
  const trigger: Trigger = { type: "event", event_type: "add_to_cart", where: [], key_prop: "cart_id" };
  const definition: JourneyDefinition = { trigger, audience: [], exit_on: [], re_entry, start: "end", nodes: {} };
  const named = { client_id, campaign_id: "c", version: 1, hash: "h" };
  const person_key = person_keys[0] ?? "";
  const entry: Entry = {
    order: 0,
    campaign: { ...named, definition, paused: false, trigger, re_entry },
    run_id: randomUUID(),
    workflow_id: journeyWorkflowId(client_id, "c", person_key, entry_key),
    client_id,
    person_key,
    person_keys,
    entry_key,
    event_id: randomUUID(),
    event_type: "add_to_cart",
    props: {},
    request_id: "r",
    at: new Date(NOW + hours * HOUR_MS).toISOString(),
    stopped: null,
  };
  const store = { read: async (keys: readonly unknown[]) => keys.map(() => ABSENT) };
  return (await admitEntries({ db: ctx.db, store }, [entry])).admitted.length;
}

const endAll = () => ctx.db.update(journeyRuns).set({ state: "completed" }).where(eq(journeyRuns.client_id, client_id));

test("while a run is open nobody enters a second time, whatever the rule, but for another cart", async () => {
  const rule: ReEntry = { rule: "after_exit" };
  expect(await enter(rule, DEVICE, 0)).toBe(1);
  expect(await enter(rule, LOGGED_IN, 1)).toBe(0);
  expect(await enter(rule, LOGGED_IN, 1, "k2")).toBe(1);
  await endAll();
  expect(await enter(rule, LOGGED_IN, 2)).toBe(1);
});

test("where the campaign says once, nobody enters a second time, under whichever of their keys", async () => {
  const rule: ReEntry = { rule: "once" };
  expect(await enter(rule, DEVICE, 0)).toBe(1);
  await endAll();
  expect(await enter(rule, LOGGED_IN, 1_000)).toBe(0);
  expect(await enter(rule, ["user:b"], 1_000)).toBe(1);
});

test("where it says how long to wait, nobody enters before, and everybody afterwards", async () => {
  const rule: ReEntry = { rule: "cool_down", after_ms: DAY_MS };
  expect(await enter(rule, DEVICE, 0)).toBe(1);
  await endAll();
  expect(await enter(rule, LOGGED_IN, 23)).toBe(0);
  expect(await enter(rule, LOGGED_IN, 25)).toBe(1);
});
