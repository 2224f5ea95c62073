import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { problemSchema } from "../core/problem.ts";
import { deadLetterSchema } from "../crm/dead-letter.ts";
import { wholeDeadLetterSchema } from "../crm/get-dead-letter.ts";
import { writeDeadLetters } from "../platform/dead-letters.ts";
import { startTestApi, type TestApi } from "../test/support/api.ts";

const LETTERS = "/api/v1/dead-letters";
let t: TestApi;
let ids: string[];

const event = (n: number) => Buffer.from(JSON.stringify({ event_type: "purchase", note: `naïve ${n}` }));

/** Three of one reason, one of an outage, one that is no text. */
beforeAll(async () => {
  t = await startTestApi();
  const { client_id: clientId } = t.ours;
  const base = { clientId, eventId: null, attempts: 3, provenance: { received_at: "x", request_id: "r" } };
  await writeDeadLetters(
    t.api.db,
    [
      ...[1, 2, 3].map((n) => ({ stage: "sessionize", reason: "RangeError: too long", payload: event(n) })),
      { stage: "geo", reason: "Error: connect ECONNREFUSED", payload: event(4) },
      { stage: "decode", reason: "not JSON", payload: Buffer.from([0xff, 0xfe]) },
    ].map((letter, index) => ({ ...base, ...letter, source: { shard: clientId, sequence: "1", index } })),
  );
  ids = (await t.call("GET", `${LETTERS}?stage=sessionize`)).body.dead_letters.map(({ id }: { id: string }) => id);
});
afterAll(() => t.close());

const list = async (query: string) => (await t.call("GET", `${LETTERS}?${query}`)).body.dead_letters;

describe("searching", () => {
  test.each([
    ["", 5],
    ["stage=sessionize", 3],
    ["kind=outage", 1],
    ["reason=RangeError%3A%20too%20long", 3],
    ["event_type=purchase", 4],
    ["text=na%C3%AFve%202", 1],
    ["text=%25", 0],
    ["since=2999-01-01T00:00:00Z", 0],
    ["until=2999-01-01T00:00:00Z", 5],
    ["state=discarded", 0],
  ])("%s finds %i", async (query, count) => {
    const found = await list(query);
    expect(found).toHaveLength(count);
    for (const letter of found) expect(deadLetterSchema.strict().parse(letter)).toEqual(letter);
  });

  test("groups say how many, since when, and name one", async () => {
    const { body } = await t.call("GET", "/api/v1/dead-letter-groups");
    expect(body.groups).toMatchObject([
      { stage: "sessionize", kind: "poison", reason: "RangeError: too long", count: 3, event_types: ["purchase"] },
      { stage: "decode", kind: "poison", count: 1, event_types: [], why: expect.stringContaining("patch the event") },
      { stage: "geo", kind: "outage", count: 1, came_back: 0, why: expect.stringContaining("replay it as it is") },
    ]);
    expect(ids).toContain(body.groups[0].example_id);
  });

  test("an outage that a replay has met again is doubted", async () => {
    const letter_id = (await list("stage=geo"))[0].id;
    const replay = { letter_id, replay_id: crypto.randomUUID() };
    const reason = "Error: connect ECONNREFUSED";
    const common = { clientId: t.ours.client_id, eventId: null, attempts: 3, payload: event(4) };
    const source = { shard: t.ours.client_id, sequence: "2", index: 0 };
    await writeDeadLetters(t.api.db, [{ ...common, stage: "stitch", reason, source, replay }]);
    const { body } = await t.call("GET", "/api/v1/dead-letter-groups?stage=stitch");
    expect(body.groups).toMatchObject([{ kind: "outage", came_back: 1, why: expect.stringContaining("1 came back") }]);
    const discard = { selection: { filter: { stage: "stitch" } }, reason: "a test" };
    expect((await t.call("POST", "/api/v1/dead-letter-discards", { body: discard })).body.discarded).toBe(1);
  });

  test("one is shown with its bytes, whatever they are", async () => {
    const [letter] = await list("stage=decode");
    const { body } = await t.call("GET", `${LETTERS}/${letter.id}`);
    expect(body).toMatchObject({ bytes: "//4=", payload: { encoding: "base64" }, provenance: { request_id: "r" } });
    expect(wholeDeadLetterSchema.strict().parse(body)).toEqual(body);
  });
});

describe("nobody else", () => {
  test("sees them, finds them, previews or discards them", async () => {
    const key = t.theirs.api_key;
    const body = { selection: { ids }, reason: "none of my business" };
    expect((await t.call("GET", LETTERS, { key })).body.dead_letters).toEqual([]);
    expect((await t.call("GET", "/api/v1/dead-letter-groups", { key })).body.groups).toEqual([]);
    expect((await t.call("GET", `${LETTERS}/${ids[0]}`, { key })).status).toBe(404);
    const preview = await t.call("POST", "/api/v1/dead-letter-previews", { key, body: { selection: { ids } } });
    expect(preview.body).toEqual({ matching: 0, letters: [] });
    expect((await t.call("POST", "/api/v1/dead-letter-discards", { key, body })).body.discarded).toBe(0);
    expect(await list("stage=sessionize")).toHaveLength(3);
  });

  test.each([
    ["GET", LETTERS],
    ["GET", "/api/v1/dead-letter-groups"],
    ["POST", "/api/v1/dead-letter-previews"],
    ["POST", "/api/v1/dead-letter-replays"],
    ["POST", "/api/v1/dead-letter-discards"],
  ])("with a key that may only read: %s %s", async (method, path) => {
    const body = method === "POST" ? { selection: { ids }, reason: "x" } : undefined;
    const key = await t.addKey(["read"]);
    const { reason: _, ...rest } = body ?? {};
    const sent = path.endsWith("discards") ? body : rest;
    expect((await t.call(method, path, { key, ...(body && { body: sent }) })).status).toBe(403);
  });
});

describe("bad input gets a problem", () => {
  const selection = { filter: {} };
  test.each<[string, string, object]>([
    ["no selection", "dead-letter-replays", {}],
    ["an id that is none", "dead-letter-replays", { selection: { ids: ["1"] } }],
    ["a filter it does not know", "dead-letter-replays", { selection: { filter: { where: "1=1" } } }],
    ["a rate beyond measure", "dead-letter-replays", { selection, rate_per_second: 1e9 }],
    ["an operation it does not know", "dead-letter-previews", { selection, patch: [{ op: "eval", path: "/a" }] }],
    ["a prototype", "dead-letter-previews", { selection, patch: [{ op: "remove", path: "/__proto__/x" }] }],
    [
      "one event of many letters",
      "dead-letter-replays",
      { selection, patch: [{ op: "set", path: "/event_id", value: "x" }] },
    ],
    ["no reason", "dead-letter-discards", { selection }],
  ])("%s", async (_, path, body) => {
    const answer = await t.call("POST", `/api/v1/${path}`, { body });
    expect(problemSchema.parse(answer.body)).toMatchObject({ status: 400, code: "invalid" });
    expect(answer.body.errors.length).toBeGreaterThan(0);
  });

  test.each([`${LETTERS}/1`, `${LETTERS}?kind=bad`, `${LETTERS}?since=yesterday`])("GET %s", async (path) => {
    expect((await t.call("GET", path)).status).toBe(400);
  });

  test.each(["", "/pause", "/resume", "/cancel"])("a replay that is not there: %s", async (verb) => {
    const path = `/api/v1/dead-letter-replays/${crypto.randomUUID()}${verb}`;
    expect((await t.call(verb === "" ? "GET" : "POST", path)).status).toBe(404);
  });
});

test("what is discarded stays, with who and why, and is not discarded twice", async () => {
  const body = { selection: { filter: { stage: "geo" } }, reason: "the shop sent it again" };
  expect((await t.call("POST", "/api/v1/dead-letter-discards", { body })).body).toEqual({ discarded: 1, remaining: 0 });
  expect((await t.call("POST", "/api/v1/dead-letter-discards", { body })).body).toEqual({ discarded: 0, remaining: 0 });
  const [letter] = await list("stage=geo&state=discarded");
  expect(letter.history.at(-1)).toMatchObject({
    reason: "discarded: the shop sent it again",
    actor: expect.stringMatching(/^key:/),
  });
});
