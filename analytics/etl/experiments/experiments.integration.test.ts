import { randomUUID } from "node:crypto";

import { and, eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";

import { EXPOSURE } from "../../../core/experiment/definition.ts";
import type { Context } from "../../../platform/context.ts";
import {
  builds,
  campaigns,
  campaignVersions,
  deliveries,
  experiments,
  journeyRuns,
} from "../../../platform/postgres/schema.ts";
import { createEtlScene, type EtlScene, type Happened } from "../../../test/support/etl-scene.ts";
import { reportCampaign } from "../../reports/campaign.ts";
import { reportExperiment } from "../../reports/experiment.ts";

let scene: EtlScene;
let ctx: Context;
let clientId: string;
beforeAll(async () => {
  scene = await createEtlScene();
  ({ ctx } = scene);
  clientId = await scene.addClient({ timezone: "Asia/Kolkata" });
});
afterAll(() => scene?.close());

const happen = (all: readonly Happened[]) => scene.happen(clientId, all);
const sees = (variant: string) => ({ type: EXPOSURE, props: { experiment_id: "checkout", variant } });
const buys = { type: "purchase", props: { revenue: "10.00", currency: "INR" } };

async function readResult() {
  const report = await ctx.db.transaction((tx) => reportExperiment(tx, clientId, { id: "checkout" }));
  const variants = report.variants.map((one) => [one.variant, one.exposed, one.converted, one.revenue]);
  return { variants, left_out: report.left_out };
}

async function readBuild() {
  const isIt = and(eq(builds.client_id, clientId), eq(builds.aggregate, "experiment_daily:checkout"));
  return (await ctx.db.select().from(builds).where(isIt))[0];
}

test("from exposures to results: late events, a log-in that comes later, people who saw both, and machines", async () => {
  await ctx.db.insert(experiments).values({
    client_id: clientId,
    id: "checkout",
    name: "checkout",
    variants: [
      { name: "old", share: 1, is_control: true },
      { name: "new", share: 1, is_control: false },
    ],
    metric: { type: "conversion", event_type: "purchase", conditions: [] },
    window_ms: 86_400_000,
    started_at: "2026-11-01T00:00:00Z",
  });
  await happen([
    { at: "2026-11-02T10:00:00.000Z", anon: "phone", ...sees("new") },
    { at: "2026-11-02T11:00:00.000Z", user: "meera", ...buys },
    { at: "2026-11-02T10:00:00.000Z", user: "asha", ...sees("old") },
    { at: "2026-11-03T10:00:00.000Z", user: "asha", ...buys },
    { at: "2026-11-02T10:00:00.000Z", anon: "crawler", isBot: true, ...sees("old") },
    { at: "2026-11-02T10:00:00.000Z", user: "ravi", ...sees("newest") },
    { at: "2026-10-31T10:00:00.000Z", user: "early", ...sees("old") },
  ]);
  expect(await readResult()).toEqual({
    variants: [
      ["old", 1, 0, {}],
      ["new", 1, 0, {}],
    ],
    left_out: { mixed: 0, unknown: 1 },
  });

  // Whose the phone was comes out two days later; and asha had bought within a day, as is heard late.
  await happen([
    { at: "2026-11-04T10:00:00.000Z", anon: "phone", user: "meera", type: "page_view" },
    { at: "2026-11-03T09:59:59.999Z", user: "asha", ...buys },
  ]);
  expect((await readResult()).variants).toEqual([
    ["old", 1, 1, { INR: 1_000 }],
    ["new", 1, 1, { INR: 1_000 }],
  ]);
  const built = await readBuild();
  expect(built!.sources.map(([partition]) => partition)).not.toContainEqual(expect.stringContaining("dt=2026-10-30"));
  await happen([]);
  expect(await readBuild()).toEqual(built);

  await happen([{ at: "2026-11-02T09:00:00.000Z", user: "meera", ...sees("old") }]);
  expect(await readResult()).toEqual({
    variants: [
      ["old", 1, 1, { INR: 1_000 }],
      ["new", 0, 0, {}],
    ],
    left_out: { mixed: 1, unknown: 1 },
  });

  // An earlier end leaves out who came after it: the definition is part of what figures are made from.
  await ctx.db
    .update(experiments)
    .set({ ended_at: "2026-11-02T09:30:00Z" })
    .where(and(eq(experiments.client_id, clientId), eq(experiments.id, "checkout")));
  await happen([]);
  expect((await readResult()).variants.map(([name, exposed]) => [name, exposed])).toEqual([
    ["old", 1],
    ["new", 0],
  ]);
});

test("a campaign's messages earn what their reader buys, also where a device turns out to be theirs after the run", async () => {
  const draft = { campaign_id: "cart", attribution_window: "P2D" };
  const campaign = {
    client_id: clientId,
    id: "cart",
    name: "Cart",
    state: "active" as const,
    draft,
    current_version: 1,
  };
  await ctx.db.insert(campaigns).values(campaign);
  const published = { client_id: clientId, campaign_id: "cart", version: 1, hash: "h", source: draft, journey: {} };
  await ctx.db.insert(campaignVersions).values(published);
  const id = randomUUID();
  const ids = { client_id: clientId, campaign_id: "cart", version: 1, person_key: "anon:tablet", request_id: "r" };
  const entered_at = "2026-11-05T09:00:00.000Z";
  await ctx.db.insert(journeyRuns).values({
    ...ids, id, workflow_id: id, person_keys: ["anon:tablet"], entry_event_id: id, entered_at, started_at: entered_at, state: "completed", arm: "treated",
  }); // prettier-ignore
  const sent = [{ state: "submitted", at: "2026-11-05T10:00:00.000Z" }];
  const message = { ...ids, id: randomUUID(), run_id: id, node_id: "m", channel: "email" as const, template: "t" };
  await ctx.db.insert(deliveries).values({ ...message, state: "submitted", history: sent });
  await happen([{ at: "2026-11-06T10:00:00.000Z", user: "kiran", ...buys }]);
  const read = () =>
    ctx.db.transaction((tx) => reportCampaign(tx, clientId, { id: "cart", start: "2026-01-01", end: "9999-12-31" }));
  expect(await read()).toMatchObject({ sent: 1, attributed: { orders: 0, revenue: {} } });
  await happen([{ at: "2026-11-08T10:00:00.000Z", anon: "tablet", user: "kiran", type: "page_view" }]);
  expect(await read()).toMatchObject({
    attribution: { model: "last_touch", window: "P2D" },
    sent: 1,
    channels: [{ channel: "email", attributed: { orders: 1, revenue: { INR: 1_000 } } }],
    attributed: { orders: 1, revenue: { INR: 1_000 } },
    lift: null,
  });
});
