import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { campaigns, campaignVersions, contacts, deadLetters } from "../../../platform/postgres/schema.ts";
import { ABSENT, createUserStore } from "../../../platform/user-store.ts";
import { createJourneyStack } from "../../../test/support/journey-stack.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";

let shop: Awaited<ReturnType<typeof createJourneyStack>>;
let person = 0;
/** Somebody whom no other test has met. */
let user = "";
let anon = "";

beforeAll(async () => {
  shop = await createJourneyStack();
});
afterAll(() => shop.close());
beforeEach(() => {
  person += 1;
  user = `user-${person}`;
  anon = `device-${person}`;
});

const runsOf = async (key: string) => (await shop.runs()).filter((run) => run.person_keys.includes(key));
const runOf = async (key: string) => (await runsOf(key)).at(-1);
const sentTo = async (key: string) => {
  const ids = new Set((await runsOf(key)).map((run) => run.id));
  return shop.sent.filter((request) => ids.has(request.run_id)).map((request) => request.template);
};
const reaches = (key: string, state: string) =>
  waitUntil(async () => (await runOf(key))?.state === state, { what: `${key} is ${state}` });
const cart = (minutes: number, more: object = {}) => ({
  campaign_id: `c${person}`,
  trigger: `event:fill_${person}`,
  schedule: [{ delay_minutes: minutes, action: "whatsapp_template:reminder" }],
  exit_on: ["purchase"],
  ...more,
});
const asking = () => ({
  campaign_id: `c${person}`,
  trigger: `event:fill_${person}`,
  journey: {
    start: "wait",
    nodes: {
      wait: {
        type: "wait-until",
        events: [{ event_type: "reply", where: [{ path: "answer", value: "yes" }] }],
        timeout_ms: 60_000,
        next: "thanks",
        on_timeout: "end",
      },
      thanks: { type: "message", channel: "sms", template: "thanks", next: "end" },
      end: { type: "exit" },
    },
  },
});
const reply = () => ({ type: "reply", user, props: { answer: "yes" } });
const fill = () => ({ type: `fill_${person}`, user });

describe("from an event to a message", () => {
  it("sends what the campaign says, and writes down that it is over", async () => {
    await shop.publish(cart(0.01, { trigger: "cart_abandonment", campaign_id: "seeds" }));
    await shop.feed([{ type: "add_to_cart", user, props: { cart_id: "k1" } }]);
    await reaches(`user:${user}`, "completed");
    expect(await sentTo(`user:${user}`)).toEqual(["reminder"]);
    expect(await runOf(`user:${user}`)).toMatchObject({
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
      await shop.publish(cart(0.01, { campaign_id: `c${person}${letter}`, audience_query }));
    }
    await shop.feed([fill()]);
    await waitUntil(async () => (await sentTo(`user:${user}`)).length === 2);
    const runs = await runsOf(`user:${user}`);
    expect(runs.map((run) => run.campaign_id).toSorted()).toEqual([`c${person}a`, `c${person}b`]);
  });

  it("is silent after a purchase from another device", async () => {
    await shop.publish(cart(0.05));
    await shop.feed([{ type: `fill_${person}`, anon }]);
    await shop.feed([{ type: "purchase", user, keys: [`user:${user}`, `anon:${anon}`] }]);
    await reaches(`anon:${anon}`, "stopped");
    await waitUntil(async () => (await runOf(`anon:${anon}`))?.ended_at !== null);
    expect(await runOf(`anon:${anon}`)).toMatchObject({ reason: "purchase" });
    expect(await sentTo(`anon:${anon}`)).toEqual([]);
  });

  it("does not begin what ends in the same batch, whichever way the batch is told again", async () => {
    await shop.publish(cart(0.02));
    const batch = [fill(), { type: "purchase", user }, fill()];
    await shop.feed(batch);
    await shop.feed(batch, { again: true });
    await reaches(`user:${user}`, "completed");
    const runs = await runsOf(`user:${user}`);
    expect(runs.map((run) => run.state).toSorted()).toEqual(["completed", "stopped"]);
    expect(await sentTo(`user:${user}`)).toEqual(["reminder"]);
  });

  it("does not begin for a cart that came late, after the purchase", async () => {
    await shop.publish(cart(0.02));
    const now = Date.now();
    await putProfile(`user:${user}`, { purchase: new Date(now - 60_000).toISOString() });
    await shop.feed([{ ...fill(), at: now - 120_000 }]);
    expect(await runOf(`user:${user}`)).toMatchObject({
      state: "stopped",
      reason: "purchase",
      stopped_by_event_id: `bought-by-user:${user}`,
      started_at: null,
    });
  });

  it("begins for a cart after an older purchase", async () => {
    const audience_query = `select user_id from segments where fill_${person} = true and purchase = false`;
    await shop.publish(cart(0.01, { audience_query }));
    await putProfile(`user:${user}`, { purchase: new Date(Date.now() - 86_400_000).toISOString() });
    await shop.feed([fill()]);
    await reaches(`user:${user}`, "completed");
    expect(await sentTo(`user:${user}`)).toEqual(["reminder"]);
  });

  it("leaves out who is not of the audience, and what is older than a day", async () => {
    await shop.publish(cart(0.01, { audience_query: "select user_id from segments where vip = true" }));
    await shop.feed([fill()]);
    person += 1;
    await shop.publish(cart(0.01));
    await shop.feed([{ ...fill(), at: Date.now() - 25 * 3_600_000 }]);
    expect(await runsOf(`user:${user}`)).toEqual([]);
  });

  it("has one run for a person, whatever their device, until it is over", async () => {
    await shop.publish(cart(0.03));
    await shop.feed([{ ...fill(), anon }]);
    await shop.feed([{ type: `fill_${person}`, anon }, fill()]);
    expect(await runsOf(`anon:${anon}`)).toHaveLength(1);
    await reaches(`user:${user}`, "completed");
    await shop.feed([fill()]);
    expect(await runsOf(`user:${user}`)).toHaveLength(2);
  });

  it("lets nobody in again where the campaign says once", async () => {
    await shop.publish(cart(0, { re_entry: "once" }));
    await shop.feed([{ type: `fill_${person}`, anon }]);
    await reaches(`anon:${anon}`, "completed");
    await shop.feed([{ type: `fill_${person}`, user, keys: [`user:${user}`, `anon:${anon}`] }]);
    expect(await runsOf(`anon:${anon}`)).toHaveLength(1);
  });

  it("puts aside the one event that the database will not have, and no other", async () => {
    await shop.publish(cart(0.01));
    const poison = `poison-${person}-${shop.client}`;
    await shop.ctx.db.execute(
      sql.raw(`alter table journey_runs add constraint "${poison}" check (not person_keys @> '{user:${poison}}')`),
    );
    try {
      await shop.feed([{ type: `fill_${person}`, user: poison }, fill()]);
    } finally {
      await shop.ctx.db.execute(sql.raw(`alter table journey_runs drop constraint "${poison}"`));
    }
    await reaches(`user:${user}`, "completed");
    expect(await runsOf(`user:${poison}`)).toEqual([]);
    const letters = await shop.ctx.db.query.deadLetters.findMany({ where: eq(deadLetters.client_id, shop.client) });
    expect(letters).toEqual([
      expect.objectContaining({ stage: "automation", reason: expect.stringContaining("23514") }),
    ]);
  });
});

it("goes on with all others where one version cannot be read", async () => {
  const values = { client_id: shop.client, id: `broken${person}`, name: "Broken", draft: {}, current_version: 1 };
  await shop.ctx.db.insert(campaigns).values({ ...values, state: "active" });
  const version = { client_id: shop.client, campaign_id: values.id, version: 1, hash: "x", source: {}, journey: {} };
  await shop.ctx.db.insert(campaignVersions).values(version);
  await shop.publish(cart(0));
  await shop.feed([fill()]);
  expect(await runOf(`user:${user}`)).toMatchObject({ campaign_id: `c${person}` });
});

describe("waiting", () => {
  it.each([
    ["in one batch", () => [[fill(), reply()]]],
    ["in two", () => [[fill()], [reply()]]],
  ])("tells a run of the event it waits for: %s", async (_, batches) => {
    await shop.publish(asking());
    for (const batch of batches()) await shop.feed(batch);
    await reaches(`user:${user}`, "completed");
    expect(await sentTo(`user:${user}`)).toEqual(["thanks"]);
  });

  it("goes different ways for different carts", async () => {
    const when = [{ path: "entry.cart.total", op: "gte", value: 1000 }];
    const nodes = {
      which: { type: "branch", branches: [{ when, next: "large" }], otherwise: "end" },
      large: { type: "message", channel: "sms", template: "large", next: "end" },
      end: { type: "exit" },
    };
    await shop.publish({ ...asking(), journey: { start: "which", nodes } });
    const totals = [[user, 1000] as const, [`${user}-b`, 999] as const];
    await shop.feed(totals.map(([user, total]) => ({ ...fill(), user, props: { cart: { total } } })));
    for (const [user] of totals) await reaches(`user:${user}`, "completed");
    expect([await sentTo(`user:${user}`), await sentTo(`user:${user}-b`)]).toEqual([["large"], []]);
  });

  it("closes a run whose workflow somebody has terminated, and lets its person in again", async () => {
    await shop.publish(asking());
    await shop.feed([fill()]);
    await waitUntil(async () => (await runOf(`user:${user}`))?.started_at !== null);
    await shop.terminate((await runOf(`user:${user}`))!.workflow_id);
    await shop.feed([reply()]);
    expect(await runOf(`user:${user}`)).toMatchObject({ state: "failed", reason: "workflow_gone" });
    await shop.feed([fill(), reply()]);
    await reaches(`user:${user}`, "completed");
  });

  it("keeps everyone's place while the campaign is paused", async () => {
    const id = await shop.publish(cart(0.02));
    await shop.feed([fill()]);
    await shop.setState(id, "paused");
    await reaches(`user:${user}`, "held");
    await shop.setState(id, "active");
    expect(await shop.resume(id)).toBe(1);
    await reaches(`user:${user}`, "completed");
    expect(await sentTo(`user:${user}`)).toEqual(["reminder"]);
  });

  it("lets nobody into a paused campaign", async () => {
    await shop.publish(cart(0), "paused");
    await shop.feed([fill()]);
    expect(await runsOf(`user:${user}`)).toEqual([]);
  });
});

describe("identity", () => {
  it("writes down who people say they are, the latest word winning", async () => {
    const now = Date.now();
    await shop.feed([{ type: "identify", anon, at: now - 1000, props: { email: "a@shop.test", city: "Pune" } }]);
    const keys = [`user:${user}`, `anon:${anon}`];
    await shop.feed([
      { type: "identify", user, anon, keys, at: now, props: { phone: "+4915112345678", email: "b\0@shop.test" } },
    ]);
    await shop.feed([
      { type: "identify", user, anon, keys, at: now - 500, props: { email: "late@shop.test", name: "Asha" } },
    ]);
    const rows = await shop.ctx.db.select().from(contacts);
    const own = rows.filter((row) => row.client_id === shop.client && keys.includes(row.person_key));
    expect(own).toHaveLength(1);
    expect(own[0]).toMatchObject({
      person_key: `user:${user}`,
      attributes: { city: "Pune" },
      user_id: user,
      phone: "+4915112345678",
      name: "Asha",
      email: "b\uFFFD@shop.test",
    });
  });

  it("widens a run when its device turns out to be somebody's, but never to a second user's", async () => {
    await shop.publish(cart(5));
    await shop.feed([{ type: `fill_${person}`, anon }]);
    await shop.feed([{ type: "login", user, anon }]);
    expect(await runOf(`anon:${anon}`)).toMatchObject({ person_key: `user:${user}` });
    await shop.feed([{ type: "login", user: `${user}-sister`, anon }]);
    const run = await runOf(`anon:${anon}`);
    expect(run!.person_key).toBe(`user:${user}`);
    expect(run!.person_keys.toSorted()).toEqual([`anon:${anon}`, `user:${user}`]);
  });
});

describe("when Temporal is away", () => {
  it("starts later what came meanwhile, and nothing of what was stopped", async () => {
    await shop.publish(cart(0.01));
    await shop.killTemporal();
    await shop.feed([fill(), { type: `fill_${person}`, anon }]);
    await shop.feed([{ type: "purchase", anon }]);
    expect(await runOf(`user:${user}`)).toMatchObject({ state: "active", started_at: null });
    await shop.startTemporal();
    await reaches(`user:${user}`, "completed");
    expect(await sentTo(`user:${user}`)).toEqual(["reminder"]);
    expect(await runOf(`anon:${anon}`)).toMatchObject({ state: "stopped" });
    expect(await sentTo(`anon:${anon}`)).toEqual([]);
  });

  it("goes on after a restart where it stood", async () => {
    await shop.publish(cart(0.1));
    await shop.feed([fill()]);
    await waitUntil(async () => (await runOf(`user:${user}`))?.started_at !== null);
    await shop.killTemporal();
    await shop.startTemporal();
    await reaches(`user:${user}`, "completed");
    expect(await sentTo(`user:${user}`)).toEqual(["reminder"]);
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
  const key = { client: shop.client, kind: "USER" as const, owner, sort: "ATTR#profile" };
  await createUserStore(shop.ctx).replace(key, { ...ABSENT, data: profile });
}
