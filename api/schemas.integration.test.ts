import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createEnrichConsumer } from "../analytics/stream/enrich/consumer.ts";
import { encodeEnvelope } from "../core/envelope.ts";
import { problemSchema } from "../core/problem.ts";
import { eventSchemaVersionsSchema } from "../crm/get-event-schema.ts";
import { registeredEventSchemaSchema } from "../crm/register-event-schema.ts";
import { schemaViolationsSchema } from "../crm/read-schema-violations.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";

const SCHEMAS = "/api/v1/schemas";
let t: TestApi;
beforeAll(async () => {
  t = await startTestApi();
});
afterAll(() => t.close());

const price = { type: "number", minimum: 0 };
const props = (properties: object, more: object = {}) => ({ type: "object", properties, ...more });
const register = (eventType: string, schema: object, query = "", more: object = {}) =>
  t.call("POST", `${SCHEMAS}/${encodeURIComponent(eventType)}${query}`, { body: { schema }, ...more });
const configure = (eventType: string, body: object) => t.call("PUT", `${SCHEMAS}/${eventType}/settings`, { body });
const versionsOf = async (eventType: string) =>
  eventSchemaVersionsSchema.parse((await t.call("GET", `${SCHEMAS}/${encodeURIComponent(eventType)}`)).body);

describe("versions", () => {
  test("are numbered from one, never change, and the same again makes none", async () => {
    const first = await register("purchase", props({ price }));
    expect(first.status).toBe(201);
    expect(registeredEventSchemaSchema.strict().parse(first.body)).toMatchObject({ version: 1, compatible: true });
    const again = await register("purchase", { properties: { price: { minimum: 0, type: "number" } }, type: "object" });
    expect([again.status, again.body]).toMatchObject([200, { version: 1, unchanged: true }]);
    expect(await register("purchase", props({ price, coupon: { type: "string" } }))).toMatchObject({
      status: 201,
      body: { version: 2 },
    });
    const { versions, ...settings } = await versionsOf("purchase");
    expect(settings).toMatchObject({ version: 2, mode: "observe", compatibility: "backward", next_cursor: null });
    expect(versions).toMatchObject([
      { version: 2, compatible_from: 1 },
      { version: 1, compatible_from: 1, schema: props({ price }) },
    ]);
    const page = await t.call("GET", `${SCHEMAS}/purchase?limit=1`);
    expect([page.body.versions.length, page.body.next_cursor]).toEqual([1, "2"]);
    expect((await t.call("GET", `${SCHEMAS}/purchase?limit=1&cursor=2`)).body.versions).toMatchObject([{ version: 1 }]);
  });

  test("that break are refused, each change named, and nothing is kept of them", async () => {
    await register("view", props({ price, page: { type: "string" } }));
    const breaking = props(
      { price: { type: "integer", minimum: 0 }, page: { type: "string" } },
      { required: ["page"] },
    );
    const refused = await register("view", breaking);
    expect(refused.status).toBe(409);
    expect(problemSchema.parse(refused.body).errors).toEqual([
      { path: "/page", reason: "the new version requires it; version 1 may write otherwise" },
      { path: "/price", reason: "the new version does not take fractions; version 1 may write otherwise" },
    ]);
    const asked = await register("view", breaking, "?dry_run=true");
    expect([asked.status, asked.body]).toMatchObject([200, { version: 2, compatible: false, dry_run: true }]);
    expect(asked.body.breaking_changes).toHaveLength(2);
    expect((await versionsOf("view")).versions).toHaveLength(1);
    expect((await register("new", props({}), "?dry_run=true")).body).toMatchObject({ version: 1, compatible: true });
    expect((await t.call("GET", `${SCHEMAS}/new`)).status).toBe(404);
    await configure("view", { compatibility: "none" });
    expect((await register("view", breaking)).status).toBe(201);
    await configure("view", { compatibility: "full" });
    // The line begins with the break: only what came after it binds.
    expect((await versionsOf("view")).versions[0]).toMatchObject({ version: 2, compatible_from: 2 });
    expect((await register("view", { ...breaking, required: ["page"], title: "A view" })).status).toBe(201);
  });

  test("that are sent at once do not meet under one number", async () => {
    const [a, b] = await Promise.all([register("rush", props({ a: {} })), register("rush", props({ b: {} }))]);
    expect([a.status, b.status]).toEqual([201, 201]);
    expect([a.body.version, b.body.version].toSorted()).toEqual([1, 2]);
  });

  test("are their client's alone, and made by its admins", async () => {
    await register("a/b ключ", props({}));
    expect((await t.call("GET", SCHEMAS, { key: t.theirs.api_key })).body.schemas).toEqual([]);
    expect((await t.call("GET", `${SCHEMAS}/a%2Fb%20%D0%BA%D0%BB%D1%8E%D1%87`, { key: t.theirs.api_key })).status).toBe(
      404,
    );
    expect((await t.call("GET", `${SCHEMAS}?limit=1`)).body).toMatchObject({
      schemas: [{ event_type: "a/b ключ" }],
      next_cursor: "a/b ключ",
    });
    const key = await t.addKey(["read"]);
    expect((await register("a", props({}), "", { key })).status).toBe(403);
    expect((await t.call("GET", "/api/v1/canonical-event", { key })).body.versions[0]).toMatchObject({ version: 1 });
  });
});

describe("bad input gets a problem", () => {
  test.each<[string, () => Promise<{ status: number; body: unknown }>, number]>([
    ["what is no schema", () => register("bad", { type: "object", properties: { a: { pattern: "(a+)+$" } } }), 400],
    ["no schema at all", () => t.call("POST", `${SCHEMAS}/bad`, { body: {} }), 400],
    ["a type that is too long", () => register("x".repeat(129), props({})), 400],
    ["settings that say nothing", () => configure("purchase", {}), 400],
    ["settings of nothing", () => configure("nobody", { mode: "enforce" }), 404],
    ["violations of nothing", () => t.call("GET", `${SCHEMAS}/nobody/violations`), 404],
    ["more than a month", () => t.call("GET", `${SCHEMAS}/purchase/violations?since=2020-01-01T00:00:00Z`), 400],
    ["a time before the other", () => t.call("GET", `${SCHEMAS}/purchase/violations?since=9999-12-31T23:59:59Z`), 400],
    ["a cursor of another's making", () => t.call("GET", `${SCHEMAS}/purchase?cursor=e30`), 400],
  ])("%s", async (_, attempt, status) => {
    const { status: answered, body } = await attempt();
    expect(problemSchema.parse(body)).toMatchObject({ status });
    expect(answered).toBe(status);
  });
});

describe("events", () => {
  const passed: unknown[] = [];
  const producer = {
    append: async (_lane: number, data: Uint8Array) => {
      passed.push((JSON.parse(Buffer.from(data).toString().split("\n")[1]!) as { props: unknown }).props);
      return { shard: "", sequence: "", index: 0 };
    },
    isFull: () => false,
    close: async () => undefined,
  };
  let sequence = 0;

  /** As the edge received it at that time. */
  function entryOf(eventProps: object, received_at: string, replay?: { letter_id: string; replay_id: string }) {
    const { client_id } = t.ours;
    const timestamp = "2026-11-20T10:00:00.000Z";
    const event = {
      event_id: crypto.randomUUID(),
      timestamp,
      client_id,
      user_id: "u",
      event_type: "order",
      props: eventProps,
    };
    const header = { client_id, received_at, request_id: "r", ...(replay && { replay }) };
    const data = encodeEnvelope(header, [Buffer.from(JSON.stringify(event))]);
    return { sequence: String(Date.now() * 1_000 + ++sequence), index: 0, data, arrivedAtMs: 0 };
  }

  test("are taken and counted, or put aside, by what was in force; mended, they come through", async () => {
    const options = createEnrichConsumer(t.api, { findGeo: () => null, producer: producer as never });
    const handle = (entries: ReturnType<typeof entryOf>[]) =>
      options.handle({
        shard: t.ours.client_id,
        entries,
        state: undefined,
        isAlone: true,
        signal: new AbortController().signal,
      });
    await register("order", props({ total: { type: "integer" } }, { required: ["total"] }));
    const observed = (await versionsOf("order")).versions[0]!.in_force_from;
    await handle([
      entryOf({}, new Date(Date.parse(observed) - 1).toISOString()),
      entryOf({}, observed),
      entryOf({ total: 1 }, observed),
    ]);
    expect(passed.splice(0)).toEqual([{}, {}, { total: 1 }]);
    const { body: settings } = await configure("order", { mode: "enforce" });
    const enforced = settings.mode_from as string;
    // A process that has just started; one that runs hears of it within a second.
    const bad = entryOf({ total: "1" }, enforced);
    const other = createEnrichConsumer(t.api, { findGeo: () => null, producer: producer as never });
    await other.handle({
      shard: "s",
      entries: [bad, entryOf({ total: 2 }, enforced)],
      state: undefined,
      isAlone: true,
      signal: new AbortController().signal,
    });
    expect(passed.splice(0)).toEqual([{ total: 2 }]);

    const { body } = await t.call("GET", "/api/v1/dead-letters?stage=schema");
    expect(body.dead_letters).toMatchObject([
      { kind: "poison", event_type: "order", reason: "does not fit version 1: /props/total is string, not integer" },
    ]);
    const read = await t.call(
      "GET",
      `${SCHEMAS}/order/violations?until=${new Date(Date.parse(enforced) + 1).toISOString()}`,
    );
    const found = schemaViolationsSchema.strict().parse(read.body);
    expect(found.events).toBe(2);
    expect(found.violations.map(({ mode, path, reason, count }) => [mode, path, reason, count])).toEqual([
      ["observe", "/props/total", "is missing", 1],
      ["enforce", "/props/total", "is string, not integer", 1],
    ]);
    expect((await t.call("GET", `${SCHEMAS}/order/violations`, { key: t.theirs.api_key })).status).toBe(404);

    await configure("order", { compatibility: "backward" });
    await register("order", props({ total: { type: ["integer", "string"] } }, { required: ["total"] }));
    const replay = { letter_id: body.dead_letters[0].id as string, replay_id: crypto.randomUUID() };
    // Under its old time of receipt, by the process that read the schemas long ago.
    await handle([entryOf({ total: "1" }, enforced, replay)]);
    expect(passed.splice(0)).toEqual([{ total: "1" }]);
  });
});
