import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { pipelineReportSchema } from "../analytics/reports/pipeline-schema.ts";
import { contacts, dealChanges, deals } from "../platform/postgres/schema.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";

type State = [day: number, stage: string, more?: Partial<typeof dealChanges.$inferInsert>];

let t: TestApi;
let contact_id: string;
beforeAll(async () => {
  t = await startTestApi();
  contact_id = crypto.randomUUID();
  const { client_id } = t.ours;
  const traits_at = new Date().toISOString();
  await t.api.db.insert(contacts).values({ id: contact_id, client_id, person_key: "user:a", user_id: "a", traits_at });
  await t.call("GET", "/api/v1/pipelines");
  for (const states of HISTORY) await addHistory(states);
});
afterAll(() => t.close());

/** Of October 2026. */
const HISTORY: State[][] = [
  [
    [1, "lead", { amount_minor: 1_000, currency: "EUR", owner: "ann" }],
    [3, "qualified", { amount_minor: 1_000, currency: "EUR", owner: "ann" }],
    [9, "won", { amount_minor: 900, currency: "EUR", owner: "ann" }],
  ],
  [
    [2, "lead", { amount_minor: 500, currency: "EUR", owner: "bob" }],
    [6, "lost", { amount_minor: 500, currency: "EUR", owner: "bob", reason: "too dear" }],
  ],
  [
    [4, "lead", { amount_minor: 7_000, currency: "INR", owner: "bob" }],
    [8, "qualified", { amount_minor: 8_000, currency: "INR", owner: "ann" }],
    [20, "proposal", { amount_minor: 8_000, currency: "INR", owner: "ann" }],
  ],
  [[5, "lead", { amount_minor: 100, currency: "EUR" }]],
];
const timeOf = (day: number) => `2026-10-${String(day).padStart(2, "0")}T12:00:00Z`;

async function addHistory(states: readonly State[]): Promise<void> {
  const key = { client_id: t.ours.client_id, pipeline_id: "sales" };
  const id = crypto.randomUUID();
  const [created_at, updated_at] = [timeOf(states[0]![0]), timeOf(states.at(-1)![0])];
  const [, stage, facts] = states.at(-1)!;
  const deal = { ...key, id, title: "x", contact_id, version: states.length, stage, created_at, updated_at };
  const { owner, amount_minor, currency, reason } = facts ?? {};
  await t.api.db.insert(deals).values({ ...deal, owner, amount_minor, currency, reason });
  const rows = states.map(([day, name, more], i) => ({
    ...key,
    deal_id: id,
    version: i + 1,
    at: timeOf(day),
    actor: "test",
    stage: name,
    ...more,
  }));
  await t.api.db.insert(dealChanges).values(rows);
}

const ask = (query: string, key?: string) =>
  t.call("GET", `/api/v1/analytics/pipeline?${query}`, key === undefined ? {} : { key });
async function report(query: string) {
  const { status, body } = await ask(query);
  expect({ status, errors: body.errors }).toEqual({ status: 200, errors: undefined });
  return pipelineReportSchema.parse(body);
}
function stageOf<Stage extends { stage: string }>({ stages }: { stages: Stage[] }, name: string): Stage | undefined {
  return stages.find((one) => one.stage === name);
}

describe("the report of the pipeline", () => {
  test("says where deals are, how they came there, and what will become of them", async () => {
    const found = await report("start=2026-10-01&end=2026-11-01&group_by=owner");
    expect(found).toMatchObject({ pipeline_id: "sales", as_of: "2026-11-01T00:00:00.000Z" });
    expect(stageOf(found, "lead")).toMatchObject({
      deals: 1,
      amounts: { EUR: 100 },
      entered: 4,
      left: 3,
      reached: 4,
      advanced: 2,
      conversion_to_next: 0.5,
      median_seconds: 4 * 86_400,
    });
    expect(stageOf(found, "qualified")).toMatchObject({ deals: 0, entered: 2, left: 2, median_seconds: 9 * 86_400 });
    expect(stageOf(found, "proposal")).toMatchObject({ deals: 1, amounts: { INR: 8_000 }, median_seconds: null });
    expect(found.totals).toMatchObject({
      created: 4,
      open: { deals: 2, amounts: { EUR: 100, INR: 8_000 } },
      won: { deals: 1, amounts: { EUR: 900 } },
      lost: { deals: 1, amounts: { EUR: 500 }, reasons: [{ reason: "too dear", deals: 1 }] },
      win_rate: 0.5,
    });
    const { deals: expected, amounts, stages } = found.forecast;
    expect(stages.map(({ stage, seen }) => [stage, seen])).toEqual([
      ["lead", 3],
      ["qualified", 2],
      ["proposal", 0],
      ["negotiation", 0],
    ]);
    // By hand: nothing was seen of proposal (½ by default); qualified: won once, proposal once, and ¼ of four by default.
    const qualified = (1 + 0.5 + 4 * 0.25) / 6;
    expect(stages.map(({ win }) => win)).toEqual([
      expect.closeTo((2 * qualified + 4 * 0.1) / 7, 12),
      expect.closeTo(qualified, 12),
      0.5,
      0.75,
    ]);
    expect(expected.open).toBe(2);
    expect(expected.expected).toBeCloseTo(stages[0]!.win_within + stages[2]!.win_within, 9);
    expect(amounts["INR"]).toMatchObject({ open: 8_000, expected: Math.round(8_000 * stages[2]!.win_within) });
    expect(found.groups.map(({ key, totals }) => [key, totals.created])).toEqual([
      ["ann", 2],
      [null, 1],
      ["bob", 1],
    ]);
    for (const name of ["lead", "qualified", "won", "lost"]) {
      const sum = found.groups.reduce((total, group) => total + stageOf(group, name)!.entered, 0);
      expect(sum).toBe(stageOf(found, name)!.entered);
    }
  });

  test("of a past day is the same for ever, and as it was then", async () => {
    const query = "start=2026-10-01&end=2026-10-07T00:00:00Z";
    // The same moment in other words, lest the answer be one that was kept.
    const again = "start=2026-10-01&end=2026-10-07T00:00:00.000Z";
    const today = new Date().toISOString().slice(0, 10);
    const before = await report(query);
    expect(stageOf(before, "lead")).toMatchObject({ deals: 2, amounts: { EUR: 100, INR: 7_000 } });
    expect(before.totals).toMatchObject({ open: { deals: 3 }, won: { deals: 0 }, lost: { deals: 1 } });
    const made = await t.call("POST", "/api/v1/deals", { body: { title: "x", contact_id } });
    await t.call("POST", `/api/v1/deals/${made.body.deal_id}/move`, { body: { version: 1, stage: "won" } });
    expect(await report(again)).toEqual(before);
    const tomorrow = new Date(Date.parse(today) + 2 * 86_400_000).toISOString().slice(0, 10);
    const now = await report(`start=${today}&end=${tomorrow}&horizon_days=30&history_days=1`);
    expect(now.totals).toMatchObject({ created: 1, open: { deals: 2 }, won: { deals: 1 } });
    expect(Date.parse(now.as_of)).toBeLessThan(Date.parse(now.end));
    expect(stageOf({ stages: now.forecast.stages }, "lead")).toMatchObject({ seen: 1 });
  });

  test("shows at once what was changed by hand", async () => {
    const query = `start=2026-10-01&end=${new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)}`;
    const before = await report(query);
    const { body } = await t.call("POST", "/api/v1/deals", { body: { title: "new", contact_id } });
    const created = await report(query);
    expect(created.totals.open.deals).toBe(before.totals.open.deals + 1);
    const change = { version: 1, amount_minor: 700, currency: "GBP" };
    expect((await t.call("PATCH", `/api/v1/deals/${body.deal_id}`, { body: change })).status).toBe(200);
    expect((await report(query)).totals.open.amounts["GBP"]).toBe(700);
    await t.call("POST", `/api/v1/deals/${body.deal_id}/move`, { body: { version: 2, stage: "won" } });
    expect((await report(query)).totals.open).toEqual(before.totals.open);
  });

  test("is exported as its stages", async () => {
    const csv = await fetch(`${t.base}/api/v1/analytics/pipeline?start=2026-10-01&end=2026-11-01&format=csv`, {
      headers: { authorization: `Bearer ${t.ours.api_key}` },
    });
    const lines = (await csv.text()).trim().split("\r\n");
    expect(lines).toHaveLength(7);
    expect(lines[0]).toMatch(/^stage,name,kind,deals,amounts,entered,left,/);
    expect(lines[1]).toMatch(/^lead,Lead,open,/);
  });

  test("of a client without deals has the default stages and nothing in them", async () => {
    const { status, body } = await ask("start=2026-10-01&end=2026-11-01", t.theirs.api_key);
    expect(status).toBe(200);
    const found = pipelineReportSchema.parse(body);
    expect(found.stages).toHaveLength(6);
    expect(found.totals).toMatchObject({ created: 0, win_rate: null, open: { deals: 0, amounts: {} } });
    expect(found.forecast).toMatchObject({ deals: { open: 0, expected: 0, low: 0, high: 0 }, amounts: {} });
  });

  test.each([
    ["start=2026-10-02&end=2026-10-01", "/end must be after start"],
    ["start=2026-10-01&end=soon", "/end is neither a day"],
    ["end=2026-10-01", "/start"],
    ["start=2026-10-01&end=2026-11-01&group_by=colour", "/group_by"],
    ["start=2026-10-01&end=2026-11-01&pipeline_id=other", "/pipeline_id is no pipeline of yours"],
    ["start=2026-10-01&end=2026-11-01&horizon_days=0", "/horizon_days"],
    ["start=2020-10-01&end=2026-11-01", "/end must be at most"],
  ])("%s is refused, and it is said why", async (query, why) => {
    const { status, body } = await ask(query);
    expect(status).toBe(400);
    const faults = body.errors.map(({ path, reason }: { path: string; reason: string }) => `${path} ${reason}`);
    expect(faults.join("; ")).toContain(why);
  });
});
