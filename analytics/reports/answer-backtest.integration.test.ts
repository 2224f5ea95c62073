import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { createBacktestTally } from "../../core/backtest.ts";
import { compileCampaign } from "../../core/campaign.ts";
import { createRehearsal } from "../../core/journey/rehearsal.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../core/time.ts";
import { campaigns, campaignVersions, deliveries, journeyRuns } from "../../platform/postgres/schema.ts";
import { createEtlScene, type EtlScene } from "../../test/support/etl-scene.ts";
import { answerBacktest } from "./answer-backtest.ts";

const START = Date.parse("2026-03-02T00:00:00Z");
const END = START + 3 * DAY_MS;
let scene: EtlScene;
beforeAll(async () => {
  scene = await createEtlScene();
});
afterAll(() => scene.close());

const cart = {
  campaign_id: "carts",
  trigger: "cart_abandonment",
  schedule: [
    { delay_minutes: 30, action: "whatsapp:reminder" },
    { delay_minutes: 1_440, action: "email:coupon" },
  ],
  audience_query: "select user_id from segments where add_to_cart = true and purchase = false and plan <> 'free'",
  re_entry: { cool_down_minutes: 600 },
};

interface Done {
  who: number;
  atMs: number;
  type: string;
  props: Record<string, unknown>;
}

/** Some of it before the range, some in it; no two at the same moment. */
const doneArbitrary: fc.Arbitrary<Done> = fc
  .record({
    who: fc.nat(7),
    minute: fc.integer({ min: -2 * 24 * 60, max: 3 * 24 * 60 - 1 }),
    type: fc.constantFrom("add_to_cart", "add_to_cart", "purchase", "identify", "page_view"),
    cart_id: fc.constantFrom("c1", "c2"),
    plan: fc.constantFrom("free", "gold"),
  })
  .map(({ who, minute, type, cart_id, plan }) => {
    return { who, atMs: START + minute * MINUTE_MS, type, props: type === "identify" ? { plan } : { cart_id } };
  });

function ask(clientId: string, more: object = {}) {
  const params = { campaign: cart, start: START, end: END, cost_per_message: {}, ...more };
  return answerBacktest({ ...scene.deps, report: () => undefined }, clientId, params);
}

function countByHand(all: readonly Done[]) {
  const compiled = compileCampaign(cart);
  if (!compiled.ok) throw new Error("not valid");
  const { definition, hash } = compiled;
  const tally = createBacktestTally({ hash, start: START, end: END, timeZone: "UTC", costPerMessage: {} });
  for (const who of [...new Set(all.map((one) => one.who))].toSorted((a, b) => a - b)) {
    const theirs = all.filter((one) => one.who === who).toSorted((a, b) => a.atMs - b.atMs);
    if (!theirs.some(({ type, atMs }) => type === "add_to_cart" && atMs >= START)) continue;
    const rehearsal = createRehearsal(definition, { at_ms: theirs[0]!.atMs });
    for (const { atMs, type: event_type, props } of theirs) {
      rehearsal.advanceTo(atMs);
      rehearsal[atMs < START ? "learn" : "tell"]({ event_type, props });
    }
    rehearsal.advanceTo(END);
    tally.add(`user:u${who}`, rehearsal, []);
  }
  return tally.report();
}

test("is what rehearsing person by person gives, of what the lake holds", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(doneArbitrary, { maxLength: 60, selector: ({ atMs }) => atMs }), async (all) => {
      const clientId = await scene.addClient();
      const happened = all.map(({ who, atMs, type, props }) => {
        return { at: new Date(atMs).toISOString(), type, user: `u${who}`, props };
      });
      await scene.happen(clientId, happened);
      expect(await ask(clientId)).toEqual(countByHand(all));
    }),
    { numRuns: 6, endOnFailure: true },
  );
});

const at = (hours: number) => new Date(START + hours * HOUR_MS).toISOString();

test("says what it would cost, and which messages come too close to another campaign's", async () => {
  const clientId = await scene.addClient();
  await scene.happen(
    clientId,
    ["ada", "bob"].map((user, n) => ({ at: at(5 + n), type: "add_to_cart", user, props: { cart_id: "c1" } })),
  );
  await send(clientId, "user:ada", at(50));
  const report = await ask(clientId, { cost_per_message: { whatsapp: 0.5, email: 0.01 } });
  expect(report).toMatchObject({
    people: 2,
    entered: 2,
    runs: { completed: 2, active: 0 },
    days: [
      { day: "2026-03-02", entered: 2, messages: 2 },
      { day: "2026-03-03", entered: 0, messages: 2 },
    ],
    most_messages_to_one_person: 2,
    // The coupon is due 21 hours before it, the reminder 44.5.
    conflicts: { messages: 1, people: 1 },
    cost: 1.02,
  });
  expect(report.samples.map(({ person }) => person)).toEqual(["user:ada", "user:bob"]);
  expect((await ask(clientId, { cost_per_message: { email: 1 } })).cost).toBeNull();
  expect(await ask(await scene.addClient())).toMatchObject({ people: 0, entered: 0, messages: [] });
});

/** A message that another campaign did send. */
async function send(client_id: string, person_key: string, sentAt: string): Promise<void> {
  const { db } = scene.ctx;
  const [campaign_id, version, request_id] = ["other", 1, "r"];
  await db.insert(campaigns).values({ client_id, id: campaign_id, name: "Other", state: "active", draft: {} });
  await db
    .insert(campaignVersions)
    .values({ client_id, campaign_id, version, hash: "h", source: {}, journey: {} as never });
  const run = { client_id, campaign_id, version, workflow_id: `w:${client_id}`, person_key, person_keys: [person_key] };
  const entry = {
    entry_key: "",
    entry_event_id: "e",
    entry_event_type: "x",
    entry_props: {},
    entered_at: sentAt,
    request_id,
  };
  const [row] = await db
    .insert(journeyRuns)
    .values({ id: crypto.randomUUID(), ...run, ...entry })
    .returning();
  const message = { node_id: "m", channel: "email" as const, template: "t", state: "delivered" as const, request_id };
  const times = { created_at: sentAt, updated_at: sentAt };
  await db.insert(deliveries).values({
    id: crypto.randomUUID(),
    client_id,
    campaign_id,
    version,
    run_id: row!.id,
    person_key,
    ...message,
    ...times,
  });
}
