import { asc, eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { dealSchema } from "../crm/deal.ts";
import { activities, auditLog, contacts, dealChanges, eventOutbox } from "../platform/postgres/schema.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";

let t: TestApi;
let contact: string;
beforeAll(async () => {
  t = await startTestApi();
  contact = await addContact(t.ours.client_id, "ann");
});
afterAll(() => t.close());

async function addContact(client_id: string, user_id: string): Promise<string> {
  const id = crypto.randomUUID();
  const traits_at = new Date().toISOString();
  const row = { id, client_id, user_id, person_key: `user:${user_id}`, source: "webinar", traits_at };
  await t.api.db.insert(contacts).values(row);
  return id;
}

const post = (path: string, body: unknown, key?: string) =>
  t.call("POST", `/api/v1${path}`, { body, ...(key !== undefined && { key }) });
const get = (path: string, key?: string) => t.call("GET", `/api/v1${path}`, key === undefined ? {} : { key });
const patch = (path: string, body: unknown) => t.call("PATCH", `/api/v1${path}`, { body });

async function addDeal(given: Record<string, unknown> = {}) {
  const { status, body } = await post("/deals", { title: "Hundred shirts", contact_id: contact, ...given });
  expect({ status, errors: body.errors }).toEqual({ status: 201, errors: undefined });
  return dealSchema.parse(body);
}
const reasonOf = (body: { errors?: { path: string; reason: string }[] }) =>
  body.errors?.map(({ path, reason }) => `${path} ${reason}`).join("; ");

describe("pipelines", () => {
  test("every client has one from the beginning, also when many ask at once", async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => get("/pipelines")));
    for (const { body } of all) expect(body).toEqual(all[0]!.body);
    expect(all[0]!.body.pipelines).toMatchObject([{ pipeline_id: "sales", is_default: true }]);
    expect(all[0]!.body.pipelines[0].stages.map((one: { stage: string }) => one.stage)).toEqual([
      "lead",
      "qualified",
      "proposal",
      "negotiation",
      "won",
      "lost",
    ]);
  });

  const stages = [
    { stage: "talk", name: "Talk", kind: "open", probability: 0.3 },
    { stage: "signed", name: "Signed", kind: "won" },
    { stage: "gone", name: "Gone", kind: "lost" },
  ];
  test("another one is made once, its stages in their order", async () => {
    const made = await post("/pipelines", { pipeline_id: "partners", name: "Partners", stages });
    expect(made.status).toBe(201);
    expect(made.body.stages).toEqual([stages[0], { ...stages[1], probability: 1 }, { ...stages[2], probability: 0 }]);
    expect((await post("/pipelines", { pipeline_id: "partners", name: "Again", stages })).status).toBe(409);
    expect((await get("/pipelines", t.theirs.api_key)).body.pipelines).toHaveLength(1);
  });

  test.each([
    [
      "no stage is won",
      stages.toSpliced(1, 1, { ...stages[0]!, stage: "more" }),
      "/stages lacks a stage of the kind won",
    ],
    ["a stage is there twice", [...stages, stages[2]], "/stages/3/stage is there twice"],
    ["nothing is said of an open one", stages.with(0, { stage: "a", name: "A", kind: "open" } as never), "needs one"],
    ["a lost one may be won", stages.with(2, { ...stages[2]!, probability: 0.5 }), "/stages/2/probability is 1 where"],
  ])("refused, and said why: %s", async (_, given, why) => {
    const { status, body } = await post("/pipelines", { pipeline_id: "p", name: "P", stages: given });
    expect(status).toBe(400);
    expect(reasonOf(body)).toContain(why);
  });
});

test("companies are made, found and listed", async () => {
  const { status, body } = await post("/companies", { name: "Mango", domain: "mango.example" });
  expect(status).toBe(201);
  await post("/companies", { name: "Papaya" });
  expect((await get(`/companies/${body.company_id}`)).body).toEqual(body);
  const first = (await get("/companies?limit=1")).body;
  expect(first.companies).toMatchObject([{ name: "Papaya", domain: null }]);
  expect((await get(`/companies?limit=1&cursor=${first.next_cursor}`)).body.companies).toEqual([body]);
  expect((await get(`/companies/${body.company_id}`, t.theirs.api_key)).status).toBe(404);
  expect((await post("/deals", { title: "x", contact_id: contact, company_id: crypto.randomUUID() })).status).toBe(404);
  const deal = await addDeal({ company_id: body.company_id });
  const { deals } = (await get(`/deals?company=${body.company_id}`)).body;
  expect(deals).toEqual([deal]);
});

describe("a deal", () => {
  test("goes from its first stage to the last, and each step is told once to everybody", async () => {
    const made = await addDeal({ contact_id: "ann", amount_minor: 1_299_00, currency: "INR", owner: "ravi" });
    expect(made).toMatchObject({ version: 1, contact_id: contact, stage: "lead", source: "webinar", closed_at: null });
    const path = `/deals/${made.deal_id}`;
    expect((await get(path)).body).toEqual(made);
    const moved = await post(`${path}/move`, { version: 1, stage: "proposal" });
    expect(moved.body).toMatchObject({ version: 2, stage: "proposal", stage_kind: "open" });
    const changed = await patch(path, { version: 2, amount_minor: 1_000_00, owner: null });
    expect(changed.body).toMatchObject({ version: 3, amount_minor: 1_000_00, owner: null, currency: "INR" });
    const won = await post(`${path}/move`, { version: 3, stage: "won" });
    expect(won.body).toMatchObject({ version: 4, stage_kind: "won", closed_at: expect.any(String) });
    const again = await post(`${path}/move`, { version: 4, stage: "lead" });
    expect(again.body).toMatchObject({ version: 5, stage_kind: "open", closed_at: null });

    const told = ["deal_created", "deal_stage_changed", "deal_updated", "deal_won", "deal_stage_changed"];
    const story = await t.api.db
      .select()
      .from(activities)
      .where(eq(activities.contact_id, contact))
      .orderBy(asc(activities.ts));
    const ofDeal = story.filter(({ metadata }) => metadata["deal_id"] === made.deal_id);
    expect(ofDeal.map(({ type }) => type)).toEqual(told);
    const owed = (await owedTo(t.ours.client_id)).filter(({ props }) => props?.["deal_id"] === made.deal_id);
    expect(owed.map(({ event_type }) => event_type)).toEqual(told.toSpliced(3, 0, "deal_stage_changed"));
    expect(owed.every(({ user_id }) => user_id === "ann")).toBe(true);
    const { changes } = (await get(`${path}/changes`)).body;
    expect(changes.map((one: { stage: string }) => one.stage)).toEqual(["lead", "won", "proposal", "proposal", "lead"]);
    expect(changes.at(-1)).toMatchObject({ version: 1, amount_minor: 1_299_00, owner: "ravi" });
    const page = (await get(`${path}/changes?limit=2`)).body;
    const rest = (await get(`${path}/changes?cursor=${page.next_cursor}`)).body;
    expect([...page.changes, ...rest.changes]).toEqual(changes);
    const audit = await t.api.db
      .select()
      .from(auditLog)
      .where(eq(auditLog.subject, `deal:${made.deal_id}`));
    expect(audit).toHaveLength(5);
  });

  test("that is sent again under its own id is made once", async () => {
    const given = { deal_id: crypto.randomUUID(), title: "Once", contact_id: contact };
    const all = await Promise.all(Array.from({ length: 5 }, () => post("/deals", given)));
    expect(all.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 200, 201]);
    for (const { body } of all) expect(body).toEqual(all[0]!.body);
    expect(await historyOf(given.deal_id)).toHaveLength(1);
    const key = t.theirs.api_key;
    await addContact(t.theirs.client_id, "bob");
    expect((await post("/deals", { ...given, contact_id: "bob" }, key)).status).toBe(201);
  });

  test("that several change at once is changed by one of them", async () => {
    const { deal_id } = await addDeal();
    const stages = ["qualified", "proposal", "negotiation", "won"];
    const all = await Promise.all(stages.map((stage) => post(`/deals/${deal_id}/move`, { version: 1, stage })));
    expect(all.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409]);
    expect(all.find(({ status }) => status === 409)!.body.detail).toContain("it is at version 2, not 1");
    expect(await historyOf(deal_id)).toHaveLength(2);
  });

  test("is lost for a reason only; what changes nothing is not written", async () => {
    const { deal_id } = await addDeal();
    const without = await post(`/deals/${deal_id}/move`, { version: 1, stage: "lost" });
    expect({ status: without.status, why: reasonOf(without.body) }).toEqual({
      status: 400,
      why: "/reason is needed where the deal is lost",
    });
    const lost = await post(`/deals/${deal_id}/move`, { version: 1, stage: "lost", reason: "too dear" });
    expect(lost.body).toMatchObject({ version: 2, stage_kind: "lost", reason: "too dear" });
    expect((await post(`/deals/${deal_id}/move`, { version: 2, stage: "lost" })).body).toEqual(lost.body);
    expect((await patch(`/deals/${deal_id}`, { version: 2, title: "Hundred shirts" })).body).toEqual(lost.body);
    expect(await historyOf(deal_id)).toHaveLength(2);
  });

  test("is nobody else's", async () => {
    const { deal_id } = await addDeal();
    const key = t.theirs.api_key;
    expect((await get(`/deals/${deal_id}`, key)).status).toBe(404);
    expect((await get(`/deals/${deal_id}/changes`, key)).status).toBe(404);
    expect((await post(`/deals/${deal_id}/move`, { version: 1, stage: "won" }, key)).status).toBe(404);
    expect((await post("/deals", { title: "x", contact_id: contact }, key)).status).toBe(404);
    const reader = await t.addKey(["read"]);
    expect((await post("/deals", { title: "x", contact_id: contact }, reader)).status).toBe(403);
  });

  test.each([
    [{ amount_minor: 5 }, "/currency is needed beside amount_minor"],
    [{ currency: "EUR" }, "/amount_minor is needed beside currency"],
    [{ amount_minor: 12.5, currency: "EUR" }, "/amount_minor"],
    [{ amount_minor: -1, currency: "EUR" }, "/amount_minor"],
    [{ amount_minor: 5, currency: "EURO" }, "/currency is no currency"],
    [{ amount_minor: 5, currency: "XXX" }, "/currency is no currency"],
    [{ stage: "nowhere" }, "/stage is no stage of the pipeline sales: lead, qualified"],
    [{ pipeline_id: "none" }, "/pipeline_id is no pipeline of yours: sales"],
    [{ expected_close: "2026-02-30" }, "/expected_close"],
    [{ stage: "lost" }, "/reason is needed"],
    [{ title: " " }, "/title"],
    [{ title_: "x" }, "title_"],
  ])("with %o is refused, and it is said why", async (given, why) => {
    const { status, body } = await post("/deals", { title: "x", contact_id: contact, ...given });
    expect(status).toBe(400);
    expect(JSON.stringify(reasonOf(body))).toContain(why);
  });
});

describe("the list", () => {
  test("sorted by anything, page by page, has each deal once", async () => {
    const owner = `owner-${crypto.randomUUID()}`;
    for (const [index, amount] of [300, undefined, 100, 300, 200].entries()) {
      const money = amount === undefined ? {} : { amount_minor: amount, currency: "EUR" };
      const day = index % 2 === 0 ? { expected_close: `2026-12-0${index + 1}` } : {};
      await addDeal({ owner, ...money, ...day });
    }
    for (const sort of ["created_at", "updated_at", "amount_minor", "expected_close"]) {
      const up = await readAll(`/deals?owner=${owner}&sort=${sort}&limit=2`);
      expect(new Set(up.map((deal) => deal.deal_id)).size).toBe(5);
      expect(await readAll(`/deals?owner=${owner}&sort=-${sort}&limit=2`)).toEqual(up.toReversed());
    }
    const byAmount = await readAll(`/deals?owner=${owner}&sort=-amount_minor`);
    expect(byAmount.map((deal) => deal.amount_minor)).toEqual([300, 300, 200, 100, null]);
    const [first] = byAmount;
    await post(`/deals/${first!.deal_id}/move`, { version: 1, stage: "won" });
    expect((await readAll(`/deals?owner=${owner}&kind=won`)).map((deal) => deal.deal_id)).toEqual([first!.deal_id]);
    expect(await readAll(`/deals?owner=${owner}&stage=lead&pipeline_id=sales`)).toHaveLength(4);
    expect(await readAll(`/deals?owner=${owner}&contact=ann`)).toHaveLength(5);
  });

  test.each([
    ["sort=colour", "/sort"],
    ["cursor=e30", "/cursor is not a cursor"],
    ["company=1", "/company"],
    ["kind=maybe", "/kind"],
  ])("%s is refused", async (query, why) => {
    const { status, body } = await get(`/deals?${query}`);
    expect(status).toBe(400);
    expect(reasonOf(body)).toContain(why);
  });

  test("a cursor of a list that was sorted otherwise, or of no value that there is", async () => {
    const place = { sort: "amount_minor", value: "much", id: crypto.randomUUID() };
    const cursor = Buffer.from(JSON.stringify(place)).toString("base64url");
    expect((await get(`/deals?sort=-amount_minor&cursor=${cursor}`)).status).toBe(400);
    expect((await get(`/deals?sort=amount_minor&cursor=${cursor}`)).status).toBe(400);
    expect((await get("/deals?contact=nobody")).status).toBe(404);
  });
});

async function readAll(path: string) {
  const all = [];
  let page = (await get(path)).body;
  all.push(...page.deals);
  while (page.next_cursor !== null) {
    page = (await get(`${path}&cursor=${page.next_cursor}`)).body;
    all.push(...page.deals);
  }
  return all.map((deal) => dealSchema.parse(deal));
}

async function owedTo(client_id: string) {
  const rows = await t.api.db
    .select({ event: eventOutbox.event })
    .from(eventOutbox)
    .where(eq(eventOutbox.client_id, client_id))
    .orderBy(asc(eventOutbox.id));
  return rows.map(({ event }) => event);
}

const historyOf = (deal_id: string) => t.api.db.select().from(dealChanges).where(eq(dealChanges.deal_id, deal_id));
