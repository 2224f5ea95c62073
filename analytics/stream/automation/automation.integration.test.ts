import { eq, sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";

import { DAY_MS, HOUR_MS } from "../../../core/time.ts";
import { campaigns, campaignVersions, contacts, deadLetters } from "../../../platform/postgres/schema.ts";
import { ABSENT, createUserStore } from "../../../platform/user-store.ts";
import { useAutomationScene } from "../../../test/support/automation-scene.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";

const scene = useAutomationScene();
const { me, runsOf, runOf, sentTo, reaches, fill, cart } = scene;

describe("from an event to a message", () => {
  it("sends what the campaign says, and writes down that it is over", async () => {
    await scene.shop.publish(cart(0.01, { trigger: "cart_abandonment", campaign_id: "seeds" }));
    await scene.shop.feed([{ type: "add_to_cart", user: me.user, props: { cart_id: "k1" } }]);
    await reaches(`user:${me.user}`, "completed");
    expect(await sentTo(`user:${me.user}`)).toEqual(["reminder"]);
    expect(await runOf(`user:${me.user}`)).toMatchObject({
      entry_key: "k1",
      reason: "completed",
      node_id: "exit",
      entry_event_type: "add_to_cart",
      entry_props: { cart_id: "k1" },
      ended_at: expect.any(String),
    });
  });

  it("lets one event begin the journeys of two campaigns that ask about the same person", async () => {
    const audience_query = "select user_id from segments where purchase = false";
    for (const letter of ["a", "b"]) {
      await scene.shop.publish(cart(0.01, { campaign_id: `${me.campaign}${letter}`, audience_query }));
    }
    await scene.shop.feed([fill()]);
    await waitUntil(async () => (await sentTo(`user:${me.user}`)).length === 2);
    const runs = await runsOf(`user:${me.user}`);
    expect(runs.map((run) => run.campaign_id).toSorted()).toEqual([`${me.campaign}a`, `${me.campaign}b`]);
  });

  it("is silent after a purchase from another device", async () => {
    await scene.shop.publish(cart(0.05));
    await scene.shop.feed([{ type: me.filled, anon: me.anon }]);
    await scene.shop.feed([{ type: "purchase", user: me.user, keys: [`user:${me.user}`, `anon:${me.anon}`] }]);
    await reaches(`anon:${me.anon}`, "stopped");
    await waitUntil(async () => (await runOf(`anon:${me.anon}`))?.ended_at !== null);
    expect(await runOf(`anon:${me.anon}`)).toMatchObject({ reason: "purchase" });
    expect(await sentTo(`anon:${me.anon}`)).toEqual([]);
  });

  it("does not begin what ends in the same batch, whichever way the batch is told again", async () => {
    await scene.shop.publish(cart(0.02));
    const batch = [fill(), { type: "purchase", user: me.user }, fill()];
    await scene.shop.feed(batch);
    await scene.shop.feed(batch, { again: true });
    await reaches(`user:${me.user}`, "completed");
    const runs = await runsOf(`user:${me.user}`);
    expect(runs.map((run) => run.state).toSorted()).toEqual(["completed", "stopped"]);
    expect(await sentTo(`user:${me.user}`)).toEqual(["reminder"]);
  });

  it("does not begin for a cart that came late, after the purchase", async () => {
    await scene.shop.publish(cart(0.02));
    const now = Date.now();
    await putProfile(`user:${me.user}`, { purchase: new Date(now - 60_000).toISOString() });
    await scene.shop.feed([{ ...fill(), at: now - 120_000 }]);
    expect(await runOf(`user:${me.user}`)).toMatchObject({
      state: "stopped",
      reason: "purchase",
      stopped_by_event_id: `bought-by-user:${me.user}`,
      started_at: null,
    });
  });

  it("begins for a cart after an older purchase", async () => {
    const audience_query = `select user_id from segments where ${me.filled} = true and purchase = false`;
    await scene.shop.publish(cart(0.01, { audience_query }));
    await putProfile(`user:${me.user}`, { purchase: new Date(Date.now() - DAY_MS).toISOString() });
    await scene.shop.feed([fill()]);
    await reaches(`user:${me.user}`, "completed");
    expect(await sentTo(`user:${me.user}`)).toEqual(["reminder"]);
  });

  it("leaves out who is not of the audience, and what is older than a day", async () => {
    await scene.shop.publish(cart(0.01, { audience_query: "select user_id from segments where vip = true" }));
    await scene.shop.feed([fill()]);
    await scene.shop.publish(cart(0.01, { campaign_id: `${me.campaign}b` }));
    await scene.shop.feed([{ ...fill(), at: Date.now() - 25 * HOUR_MS }]);
    expect(await runsOf(`user:${me.user}`)).toEqual([]);
  });

  it("has one run for a person, whatever their device, until it is over", async () => {
    await scene.shop.publish(cart(0.03));
    await scene.shop.feed([{ ...fill(), anon: me.anon }]);
    await scene.shop.feed([{ type: me.filled, anon: me.anon }, fill()]);
    expect(await runsOf(`anon:${me.anon}`)).toHaveLength(1);
    await reaches(`user:${me.user}`, "completed");
    await scene.shop.feed([fill()]);
    expect(await runsOf(`user:${me.user}`)).toHaveLength(2);
  });

  it("lets nobody in again where the campaign says once", async () => {
    await scene.shop.publish(cart(0, { re_entry: "once" }));
    await scene.shop.feed([{ type: me.filled, anon: me.anon }]);
    await reaches(`anon:${me.anon}`, "completed");
    await scene.shop.feed([{ type: me.filled, user: me.user, keys: [`user:${me.user}`, `anon:${me.anon}`] }]);
    expect(await runsOf(`anon:${me.anon}`)).toHaveLength(1);
  });

  it("puts aside the one event that the database will not have, and no other", async () => {
    await scene.shop.publish(cart(0.01));
    const poison = `poison-${scene.shop.client}`;
    await scene.shop.ctx.db.execute(
      sql.raw(`alter table journey_runs add constraint "${poison}" check (not person_keys @> '{user:${poison}}')`),
    );
    try {
      await scene.shop.feed([{ type: me.filled, user: poison }, fill()]);
    } finally {
      await scene.shop.ctx.db.execute(sql.raw(`alter table journey_runs drop constraint "${poison}"`));
    }
    await reaches(`user:${me.user}`, "completed");
    expect(await runsOf(`user:${poison}`)).toEqual([]);
    const letters = await scene.shop.ctx.db.query.deadLetters.findMany({
      where: eq(deadLetters.client_id, scene.shop.client),
    });
    expect(letters).toEqual([
      expect.objectContaining({ stage: "automation", reason: expect.stringContaining("23514") }),
    ]);
  });
});

it("goes on with all others where one version cannot be read", async () => {
  const values = { client_id: scene.shop.client, id: "broken", name: "Broken", draft: {}, current_version: 1 };
  await scene.shop.ctx.db.insert(campaigns).values({ ...values, state: "active" });
  const version = {
    client_id: scene.shop.client,
    campaign_id: values.id,
    version: 1,
    hash: "x",
    source: {},
    journey: {},
  };
  await scene.shop.ctx.db.insert(campaignVersions).values(version);
  await scene.shop.publish(cart(0));
  await scene.shop.feed([fill()]);
  expect(await runOf(`user:${me.user}`)).toMatchObject({ campaign_id: me.campaign });
});

describe("identity", () => {
  it("writes down who people say they are, the latest word winning", async () => {
    const now = Date.now();
    await scene.shop.feed([
      { type: "identify", anon: me.anon, at: now - 1000, props: { email: "a@shop.test", city: "Pune" } },
    ]);
    const keys = [`user:${me.user}`, `anon:${me.anon}`];
    await scene.shop.feed([
      {
        type: "identify",
        user: me.user,
        anon: me.anon,
        keys,
        at: now,
        props: { phone: "+4915112345678", email: "b\0@shop.test" },
      },
    ]);
    await scene.shop.feed([
      {
        type: "identify",
        user: me.user,
        anon: me.anon,
        keys,
        at: now - 500,
        props: { email: "late@shop.test", name: "Asha" },
      },
    ]);
    const rows = await scene.shop.ctx.db.select().from(contacts);
    const own = rows.filter((row) => row.client_id === scene.shop.client && keys.includes(row.person_key));
    expect(own).toHaveLength(1);
    expect(own[0]).toMatchObject({
      person_key: `user:${me.user}`,
      attributes: { city: "Pune" },
      user_id: me.user,
      phone: "+4915112345678",
      name: "Asha",
      email: "b\uFFFD@shop.test",
    });
  });

  it("widens a run when its device turns out to be somebody's, but never to a second user's", async () => {
    await scene.shop.publish(cart(5));
    await scene.shop.feed([{ type: me.filled, anon: me.anon }]);
    await scene.shop.feed([{ type: "login", user: me.user, anon: me.anon }]);
    expect(await runOf(`anon:${me.anon}`)).toMatchObject({ person_key: `user:${me.user}` });
    await scene.shop.feed([{ type: "login", user: `${me.user}-sister`, anon: me.anon }]);
    const run = await runOf(`anon:${me.anon}`);
    expect(run!.person_key).toBe(`user:${me.user}`);
    expect(run!.person_keys.toSorted()).toEqual([`anon:${me.anon}`, `user:${me.user}`]);
  });
});

async function putProfile(owner: string, lastEventAt: { purchase: string }): Promise<void> {
  const seen = new Date().toISOString();
  const profile = {
    first_seen_at: seen,
    last_seen_at: seen,
    last_event_at: lastEventAt,
    last_purchase: { event_id: `bought-by-${owner}`, at: lastEventAt.purchase },
    attributes: {},
    country: null,
    device: null,
  };
  const key = { client: scene.shop.client, kind: "USER" as const, owner, sort: "ATTR#profile" };
  await createUserStore(scene.shop.ctx).replace(key, { ...ABSENT, data: profile });
}
