import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";

import { ABSENT, createUserStore } from "../../../platform/user-store.ts";
import { createJourneyStack, type ShopEvent } from "../../../test/support/journey-stack.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";

let shop: Awaited<ReturnType<typeof createJourneyStack>>;
let person = 0;
let user = "";
let anon = "";
let both: string[] = [];

beforeAll(async () => {
  shop = await createJourneyStack();
  const schedule = [{ delay_minutes: 1, action: "whatsapp_template:reminder" }];
  await shop.publish({ campaign_id: "late", trigger: "cart_abandonment", schedule });
});
afterAll(() => shop.close());
beforeEach(() => {
  person += 1;
  [user, anon] = [`late-${person}`, `device-${person}`];
  both = [`user:${user}`, `anon:${anon}`];
});

const cart = (): ShopEvent => ({ type: "add_to_cart", anon, props: { cart_id: "k" } });
const login = (): ShopEvent => ({ type: "identify", user, anon, keys: both });
const runOf = async () => (await shop.runs()).findLast((run) => run.person_keys.includes(`anon:${anon}`));

async function put(owner: string, sort: string, data: unknown): Promise<void> {
  await createUserStore(shop.ctx).replace({ client: shop.client, kind: "USER", owner, sort }, { ...ABSENT, data });
}
const boughtAt = (atMs: number) => {
  const at = new Date(atMs).toISOString();
  const rest = { attributes: {}, country: null, device: null };
  return put(`user:${user}`, "ATTR#profile", {
    first_seen_at: at,
    last_seen_at: at,
    last_event_at: { purchase: at },
    ...rest,
  });
};

it.each([
  ["in one batch", () => [[cart(), login()]]],
  ["in two", () => [[cart()], [login()]]],
])("makes the run of a device its owner's: cart and log-in %s", async (_, batches) => {
  for (const batch of batches()) await shop.feed(batch);
  const run = await runOf();
  expect(run).toMatchObject({ person_key: `user:${user}`, state: "active" });
  expect(run?.person_keys.toSorted()).toEqual(both.toSorted());
  await shop.feed([{ type: "purchase", user, keys: both }]);
  expect(await runOf()).toMatchObject({ state: "stopped", reason: "purchase" });
});

it("knows the owner of a cart that is looked at after the log-in, though it was enriched before", async () => {
  await put(`anon:${anon}`, "ATTR#link", { user_id: user, linked_at: new Date().toISOString() });
  await put(`user:${user}`, "ATTR#aliases", { anon_ids: [anon, "other"], refused: 0, refused_at: null });
  await shop.feed([login()]);
  await shop.feed([cart()]);
  const run = await runOf();
  expect(run).toMatchObject({ person_key: `user:${user}`, state: "active" });
  expect(run?.person_keys.toSorted()).toEqual([...both, "anon:other"].toSorted());
  await shop.feed([{ type: "purchase", user, keys: [`user:${user}`] }]);
  expect(await runOf()).toMatchObject({ state: "stopped", reason: "purchase" });
});

it("ends the run of a device when its owner turns out to have bought elsewhere", async () => {
  const leftAt = Date.now() - 5_000;
  await shop.feed([{ ...cart(), at: leftAt }]);
  await waitUntil(async () => (await runOf())?.started_at !== null);
  await boughtAt(leftAt + 1_000);
  await shop.feed([{ type: "purchase", user, keys: [`user:${user}`], at: leftAt + 1_000 }]);
  expect(await runOf()).toMatchObject({ state: "active" });
  await shop.feed([login()]);
  expect(await runOf()).toMatchObject({ state: "stopped", reason: "purchase" });
  await waitUntil(async () => (await runOf())?.ended_at !== null);
});

it("leaves a run alone whose owner bought before the cart was left", async () => {
  await boughtAt(Date.now() - 60_000);
  await shop.feed([cart(), login()]);
  expect(await runOf()).toMatchObject({ person_key: `user:${user}`, state: "active" });
});
