import { eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, it } from "vitest";

import { journeyRuns } from "../platform/postgres/schema.ts";
import { createJourneyStack } from "../test/support/journey-stack.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { sweepBrokenRuns, sweepLostRuns } from "./sweep-broken-runs.ts";

let shop: Awaited<ReturnType<typeof createJourneyStack>>;
const before = new Date(Date.now() - 60_000);

beforeAll(async () => {
  shop = await createJourneyStack();
});
afterAll(() => shop.close());

const runsOf = async (user: string) => (await shop.runs()).filter((run) => run.person_keys.includes(`user:${user}`));
const enter = async (user: string) => {
  await shop.feed([{ type: "fill", user }]);
  await waitUntil(async () => (await runsOf(user)).at(-1)?.started_at !== null);
  return (await runsOf(user)).at(-1)!;
};

it("closes runs that were terminated, leaves those that were reset, and lets people in again", async () => {
  await shop.publish({
    campaign_id: "c",
    trigger: "event:fill",
    schedule: [{ delay_minutes: 60, action: "whatsapp_template:reminder" }],
  });
  const [ended, reset, untouched] = [await enter("ended"), await enter("reset"), await enter("untouched")];
  await shop.terminate(ended.workflow_id);
  await shop.reset(reset.workflow_id);
  await waitUntil(async () => {
    const found = await shop.journeys.findBroken(before);
    return [ended, reset].every(({ id }) => found.includes(id));
  });
  expect(await sweepBrokenRuns(shop, before)).toBe(1);
  expect(await sweepBrokenRuns(shop, before)).toBe(0);
  const stateOf = async (id: string) =>
    (await shop.ctx.db.query.journeyRuns.findFirst({ where: eq(journeyRuns.id, id) }))!;
  expect(await stateOf(ended.id)).toMatchObject({ state: "failed", reason: "workflow_gone" });
  expect((await stateOf(ended.id)).ended_at).not.toBeNull();
  for (const run of [reset, untouched]) expect(await stateOf(run.id)).toMatchObject({ state: "active" });
  expect((await enter("ended")).id).not.toBe(ended.id);
});

it("closes runs that Temporal has lost, page by page, and lets people in again", async () => {
  await shop.publish({
    campaign_id: "lost",
    trigger: "event:order",
    schedule: [{ delay_minutes: 60, action: "whatsapp_template:reminder" }],
  });
  const users = ["first", "second", "third"];
  const order = (...of: string[]) => shop.feed(of.map((user) => ({ type: "order", user })));
  const readRuns = async () => (await shop.runs()).filter((run) => run.campaign_id === "lost");
  await order(...users);
  await waitUntil(async () => (await readRuns()).filter((run) => run.started_at !== null).length === users.length);
  const [kept, ...lost] = (await readRuns()).toSorted((a, b) => (a.workflow_id < b.workflow_id ? -1 : 1));
  for (const { id, workflow_id } of lost) {
    await shop.forget(workflow_id);
    await waitUntil(async () => !(await shop.journeys.isUnderWay(workflow_id, id)));
  }
  let pages = 0;
  for (let after: string | null = ""; after !== null; pages++) after = await sweepLostRuns(shop, { after, limit: 2 });
  expect(pages).toBeGreaterThan(1);
  const found = new Map((await readRuns()).map((run) => [run.id, run]));
  for (const { id } of lost) expect(found.get(id)).toMatchObject({ state: "failed", reason: "workflow_gone" });
  expect(found.get(kept!.id)).toMatchObject({ state: "active" });
  await order(...users);
  expect((await readRuns()).filter((run) => run.state === "active")).toHaveLength(users.length);
});
