import { afterAll, beforeAll, expect, test } from "vitest";

import { rehearsedSchema } from "../crm/rehearse-campaign.ts";
import { campaigns, journeyRuns } from "../platform/postgres/schema.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";
import { SEED_CAMPAIGN as CAMPAIGN } from "../test/support/seed-campaign.ts";

let t: TestApi;
beforeAll(async () => {
  t = await startTestApi();
});
afterAll(() => t.close());

const rehearse = (body: object) => t.call("POST", "/api/v1/rehearsals", { body });
const IN_CART = { event_type: "add_to_cart", props: { cart_id: "c1" } };

test("the seeds' campaign, with and without a purchase; nothing is kept", async () => {
  const given = { campaign: CAMPAIGN, starts_at: "2026-11-21T10:00:00Z" };
  const left = await rehearse({ ...given, events: [IN_CART] });
  expect(left.status).toBe(200);
  const found = rehearsedSchema.parse(left.body);
  expect(found.messages.map(({ at, channel, template }) => [at, channel, template])).toEqual([
    ["2026-11-21T10:30:00.000Z", "whatsapp", "reminder"],
    ["2026-11-22T10:00:00.000Z", "email", "coupon"],
  ]);
  expect(found.ends_at).toBe("2026-12-21T10:00:00.000Z");
  const events = [IN_CART, { event_type: "purchase", after: "PT2H" }, { ...IN_CART, after: "PT1H" }];
  const { body } = await rehearse({ ...given, events, continue_for: "PT10M" });
  expect(body.messages).toHaveLength(1);
  expect(body.runs).toMatchObject([
    { key: "c1", state: "stopped", reason: "purchase", ended_at: "2026-11-21T12:00:00.000Z" },
    { key: "c1", state: "active", why: expect.stringContaining("waits until 2026-11-21T13:30:00.000Z") },
  ]);
  for (const table of [campaigns, journeyRuns]) {
    const rows = await t.api.db.select().from(table);
    expect(rows.filter(({ client_id }) => client_id === t.ours.client_id)).toEqual([]);
  }
});

test("what it says is what publishing makes", async () => {
  const { hash } = (await rehearse({ campaign: CAMPAIGN, events: [] })).body;
  await t.call("POST", "/api/v1/campaigns", { body: CAMPAIGN });
  expect((await t.call("POST", "/api/v1/campaigns/camp_123/publish")).body.hash).toBe(hash);
});

test("a circle that turns for ever is refused before it takes long", async () => {
  const journey = {
    start: "again",
    nodes: {
      again: { type: "delay", ms: 1_000, next: "which" },
      which: {
        type: "branch",
        branches: [{ when: [{ path: "attributes.done", value: true }], next: "end" }],
        otherwise: "again",
      },
      end: { type: "exit", reason: "done" },
    },
  };
  const campaign = { campaign_id: "circle", trigger: { type: "event", event_type: "go", key: "n" }, journey };
  const events = Array.from({ length: 10 }, (_, n) => ({ event_type: "go", props: { n } }));
  const { status, body } = await rehearse({ campaign, events, continue_for: "P300D" });
  expect([status, body.detail]).toEqual([400, "takes more than 20000 decisions"]);
});

test.each([
  [{ events: [] }, "/campaign"],
  [{ campaign: { ...CAMPAIGN, trigger: 7 }, events: [] }, "/campaign/trigger"],
  [{ campaign: CAMPAIGN, events: [{ event_type: "x", after: "soon" }] }, "/events/0/after"],
  [{ campaign: CAMPAIGN, events: [], continue_for: "P400D" }, "/continue_for"],
  [{ campaign: CAMPAIGN, events: [], starts_at: "yesterday" }, "/starts_at"],
])("%j is refused, and it is said where", async (given, path) => {
  const { status, body } = await rehearse(given);
  expect(status).toBe(400);
  expect(body.errors.map((fault: { path: string }) => fault.path).join(" ")).toContain(path);
});
